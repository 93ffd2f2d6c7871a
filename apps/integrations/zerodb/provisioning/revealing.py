"""Showing a project's key to a super admin, who gives their password again."""

from __future__ import annotations

from django.core.cache import cache

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.integrations.models import AINativeProject

MOST_TRIES = 5
PAUSE_SECONDS = 300


class RevealRefused(Exception):
    """The key is not shown; ``str(error)`` says why. The attempt is in the trail."""


class WrongPassword(RevealRefused):
    """The password was not the user's."""


class TooManyTries(RevealRefused):
    """The user gave MOST_TRIES wrong passwords within PAUSE_SECONDS, for whichever projects."""


def reveal_key(project: AINativeProject, *, user: User, password: str, actor: Actor) -> str:
    """The key, once, in the project's account's scope. The reveal is in the account's trail before the key is read.

    Raises PermissionDenied, WrongPassword, TooManyTries, LookupError when there is no key.
    """
    require(actor, "project.reveal_key")
    tries = _count_try(user)
    if tries > MOST_TRIES:
        if tries == MOST_TRIES + 1:  # told once: what follows would only fill the trail
            audit.record_refusal("project.key_reveal_paused", actor=actor, entity=project)
        raise TooManyTries("Too many wrong passwords. Wait five minutes, then try again.")
    if not user.check_password(password):
        audit.record_refusal("project.key_reveal_refused", actor=actor, entity=project)
        raise WrongPassword("That password is not yours.")
    cache.delete(_tries_of(user))
    if not project.is_configured:
        raise LookupError("This project has no key yet.")
    audit.record("project.key_revealed", actor=actor, entity=project, changes={"project_id": project.project_id})
    key: str = project.api_key  # type: ignore[assignment] # sealed until read here
    return key


def _tries_of(user: User) -> str:
    return f"project-key-reveal:{user.pk}"


def _count_try(user: User) -> int:
    """Count before the password is looked at, so that guesses made at the same moment are counted too."""
    cache.add(_tries_of(user), 0, PAUSE_SECONDS)
    try:
        return cache.incr(_tries_of(user))
    except ValueError:  # it ran out between the two
        return 1
