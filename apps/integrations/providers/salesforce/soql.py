"""Values in SOQL (developer.salesforce.com, "Quoted String Escape Sequences")."""

from __future__ import annotations

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


def literal(value: str) -> str:
    """``value`` as a string of a query, quotes included."""
    return f"'{value.translate(_ESCAPES)}'"
