"""Who makes a request to the embedded ZeroDB server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Identity:
    """A proven caller. ``project_id`` is set for a project key: it reaches that project alone.

    ``issued_at`` and ``expires_at`` are those of the bearer token, None when an API key was shown.
    """

    caller_id: UUID
    key_id: UUID
    project_id: UUID | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def account_wide(self) -> bool:
        return self.project_id is None
