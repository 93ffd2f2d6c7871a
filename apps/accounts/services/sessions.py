"""Ending the sessions of a person."""

from __future__ import annotations

from allauth.usersessions.models import UserSession

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User


def end_session(session: UserSession, *, user: User) -> None:
    """Sign ``user`` out where ``session`` is; it stops working with its next request."""
    audit.record(
        "session.ended",
        actor=Actor.person(user),
        label=user.email,
        changes={"ip": session.ip, "user_agent": session.user_agent},
    )
    session.end()
