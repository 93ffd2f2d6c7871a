"""Forms of paths that earlier clients use: they are served as ever, and say that they will not be for ever.

The vendor's papers promise a year between the notice and the end, and no end before the next version.
"""

from __future__ import annotations

from datetime import date

SUNSET = date(2028, 1, 1)
"""The day before which none of them goes."""


def notice() -> dict[str, str]:
    """The headers of an answer on such a path, as the contract announces them."""
    return {"X-Deprecated-Endpoint": "true", "X-Sunset-Date": SUNSET.isoformat()}
