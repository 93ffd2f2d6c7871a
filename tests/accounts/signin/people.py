"""Signing in as people do, through the pages, with codes that an authenticator app would show."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Account, User
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit.selectors import Line, entries
from apps.vault.keys.account_keys import PLATFORM_OWNER
from tests.factories import PASSWORD, make_user

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def super_admin(email: str = "rita@platform.example") -> User:
    """One of the operator's people, without a second factor yet."""
    return make_user(email, is_staff=True, is_superuser=True)


def enrol(user: User) -> Authenticator:
    """Give ``user`` an authenticator app that holds SECRET, as enrolling does."""
    authenticator = totp.TOTP.activate(user, SECRET).instance
    assert isinstance(authenticator, Authenticator)
    return authenticator


def code() -> str:
    """What the app shows now. (A code works once: forgetting used ones stands for waiting half a minute.)"""
    for key in cache._cache.get_client().keys("*mfa.totp.used*"):
        cache._cache.get_client().delete(key)
    return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30))


def sign_in(client: Client, user: User, password: str = PASSWORD, **fields: Any) -> Any:
    """Post the sign-in form; answers what came back."""
    return client.post("/accounts/login/", {"login": user.email, "password": password, **fields})


def sign_in_with_code(client: Client, user: User) -> Any:
    """Password, then the app's code."""
    answer = sign_in(client, user)
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/"), answer.headers
    answer = client.post("/accounts/2fa/authenticate/", {"code": code()})
    if answer.status_code == 200:  # the half minute ended between reading and typing
        answer = client.post("/accounts/2fa/authenticate/", {"code": code()})
    return answer


def link_in(body: str, beginning: str) -> str:
    """The first address in a mail that begins so, without its host."""
    found = re.search(rf"https?://[^/\s]+({re.escape(beginning)}\S*)", body)
    assert found, body
    return found.group(1)


def trail(account: Account) -> list[Line]:
    """The account's trail, newest first."""
    with tenant(account):
        return entries(account.id, limit=100)


def platform_trail() -> list[Line]:
    """The operator's trail, newest first."""
    with platform("read in a test"):
        return entries(PLATFORM_OWNER, limit=100)


def actions(lines: list[Line]) -> list[str]:
    """What happened, oldest first."""
    return [line.action for line in reversed(lines)]
