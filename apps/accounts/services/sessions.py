"""Ending the sessions of a person."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.signin.trail import record_for


@transaction.atomic
def end_session(session: UserSession, *, user: User, actor: Actor | None = None) -> None:
    """Sign ``user`` out where ``session`` is; it stops working with its next request."""
    record_for(user, "session.ended", actor=actor, changes={"ip": session.ip, "user_agent": session.user_agent})
    session.end()


def end_all_sessions(user: User, *, actor: Actor | None = None) -> int:
    """Sign ``user`` out everywhere. Returns how many sessions ended."""
    sessions = UserSession.objects.purge_and_list(user)
    for session in sessions:
        end_session(session, user=user, actor=actor)
    return len(sessions)
