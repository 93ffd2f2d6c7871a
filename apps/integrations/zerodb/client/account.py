"""What an account-wide (master) key does: make, find and close projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.integrations.zerodb.client.answers import Project, entries, read_project, text
from apps.integrations.zerodb.client.session import Session, segment

PAGE = 100


class AccountClient(Session):
    """The projects of one account at a ZeroDB server."""

    def create_project(
        self,
        *,
        name: str,
        description: str = "",
        tier: str = "pro",
        settings: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Project:
        """A new project, with its key. Never repeated here: look for it first when the outcome is unknown.

        Raises OutboundError (``maybe_done``: the project may exist all the same); LimitReached.
        """
        body = {
            "name": name,
            "description": description,
            "tier": tier,
            "settings": dict(settings or {}),
            "metadata": dict(metadata or {}),
        }
        return read_project(self.ask_for("POST", "projects", json=body, repeatable=False))

    def projects(self) -> Iterator[Project]:
        """All projects, page by page. Short forms: settings and metadata may be missing. Raises OutboundError."""
        offset = 0
        while True:
            page = entries(self.ask("GET", "projects", params={"limit": PAGE, "offset": offset}), "projects", "items")
            for item in page:
                yield read_project(item)
            offset += len(page)
            if len(page) < PAGE:
                return

    def get_project(self, project_id: str) -> Project:
        """One project with its usage. Raises NotFound, OutboundError."""
        return read_project(self.ask_for("GET", f"projects/{segment(project_id)}"))

    def set_status(self, project_id: str, status: str, reason: str = "") -> None:
        """Suspend, reactivate or archive. Raises NotFound, OutboundError."""
        body = {"status": status, "reason": reason}
        self.ask("PUT", f"projects/{segment(project_id)}/status", json=body)

    def delete_project(self, project_id: str) -> None:
        """Delete a project. Raises NotFound when it is gone already, OutboundError."""
        self.ask("DELETE", f"projects/{segment(project_id)}")

    def new_project_key(self, project_id: str) -> str:
        """Another key in place of a lost one. The embedded server can; others answer NotFound. Raises OutboundError."""
        body = self.ask_for("POST", f"projects/{segment(project_id)}/api-key", repeatable=True)
        return text(body, "api_key")
