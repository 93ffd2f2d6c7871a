"""Who is behind a socket, and whether they may be there: asked at its door, and again for as long as it is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare

from apps.accounts.doors import Entry, slug_entry
from apps.accounts.live import numbers
from apps.accounts.models import Account, User
from apps.accounts.permissions import allows
from apps.accounts.tenancy.scope import tenant

Headers = Iterable[tuple[bytes, bytes]]


class Closed(IntEnum):
    """Why a socket was closed, as its code (RFC 6455 section 7.4; those above 4000 are ours)."""

    NO_TEXT = 1003
    TOO_LARGE = 1009
    UNAVAILABLE = 1013
    SIGNED_OUT = 4401
    NOT_ALLOWED = 4403
    NO_ACCOUNT = 4404
    IDLE = 4408
    SUSPENDED = 4423
    TOO_MANY = 4429


@dataclass(frozen=True)
class Standing:
    """What was found: the ``entry`` and the account's latest ``number``, or why there is none."""

    entry: Entry | None = None
    number: int = 0
    refused: Closed | None = None


def standing(session_key: str, slug: str, action: str) -> Standing:
    """Whether the session's person may do ``action`` in the account. Opens the scopes it needs.

    Somebody else's account and one that does not exist are told apart by nothing.
    """
    user = person_of(session_key)
    if user is None:
        return Standing(refused=Closed.SIGNED_OUT)
    entry = slug_entry(user.pk, slug)
    if entry is None:
        return Standing(refused=Closed.NO_ACCOUNT)
    if not allows(entry.actor, action):
        return Standing(entry, refused=Closed.NOT_ALLOWED)
    if entry.account.status == Account.Status.SUSPENDED:
        return Standing(entry, refused=Closed.SUSPENDED)
    with tenant(entry.account.id):
        return Standing(entry, numbers.current())


def session_key_of(headers: Headers) -> str:
    """What the browser's cookie names; "" without one."""
    for name, value in headers:
        if name == b"cookie":
            found: str = parse_cookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
            return found
    return ""


def person_of(session_key: str) -> User | None:
    """Who is signed in with this session.

    As Django's ``get_user``, which on the way renews or ends sessions: nothing a socket could tell its browser of.
    """
    if not session_key:
        return None
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    backend = session.get(auth.BACKEND_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        user_id = User._meta.pk.to_python(session[auth.SESSION_KEY])
    except KeyError:
        return None
    user: Any = auth.load_backend(backend).get_user(user_id)
    if user is None:
        return None
    given = session.get(auth.HASH_SESSION_KEY, "")
    known = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(given, one) for one in known) else None


def is_own_page(headers: Headers) -> bool:
    """Whether the page that opens the socket came from here: cookies alone would let any page open one.

    As Django has it for forms: the origin is the host that was asked, or one of CSRF_TRUSTED_ORIGINS.
    """
    named = {name: value.decode("latin-1") for name, value in headers if name in {b"origin", b"host"}}
    origin, host = named.get(b"origin", ""), named.get(b"host", "")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    return parts.netloc.lower() == host.lower() or origin in settings.CSRF_TRUSTED_ORIGINS
