"""Showing a project's key to a super admin, who gives their password again."""

from __future__ import annotations

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.integrations.models import AINativeProject


class WrongPassword(Exception):
    """The password was not the user's; the attempt is in the trail."""


def reveal_key(project: AINativeProject, *, user: User, password: str, actor: Actor) -> str:
    """The key, once, in the project's account's scope. The reveal is in the account's trail before the key is read.

    Raises PermissionDenied, WrongPassword, LookupError when there is no key.
    """
    require(actor, "project.reveal_key")
    if not user.check_password(password):
        audit.record_refusal("project.key_reveal_refused", actor=actor, entity=project)
        raise WrongPassword("That password is not yours.")
    if not project.is_configured:
        raise LookupError("This project has no key yet.")
    audit.record("project.key_revealed", actor=actor, entity=project, changes={"project_id": project.project_id})
    key: str = project.api_key  # type: ignore[assignment] # sealed until read here
    return key
