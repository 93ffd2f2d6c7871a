"""Asking a route in somebody's name, and comparing answers byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.models import Account, User
from apps.accounts.roles import Role
from apps.accounts.services.api_keys import create_api_key
from apps.accounts.tenancy.scope import tenant
from tests.factories import Cast
from tests.isolation.kinds import Asks, TenantRoute


@dataclass(frozen=True)
class Who:
    """Somebody at the door: a signed-in person or the holder of an API key."""

    client: Client
    headers: dict[str, str]


def person(user: User) -> Who:
    """``user``, signed in."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return Who(client, {})


def program(account: Account, role: Role, user: User) -> Who:
    """A program with a key of ``account`` that ``user`` made."""
    maker = Actor("user", user.id, user.email, Role.OWNER, user.id)  # a viewer may not make keys, a key may still view
    with tenant(account):
        key = create_api_key(actor=maker, name=f"key of a {role}", role=role).plain
    return Who(Client(raise_request_exception=False), {"Authorization": f"Bearer {key}"})


def nobody() -> Who:
    """An anonymous client."""
    return Who(Client(raise_request_exception=False), {})


def of_role(cast: Cast, role: Role, route: TenantRoute) -> list[Who]:
    """Everyone who may try ``route`` in the cast's account in this role."""
    user = person(cast.members[role])
    if not route.api:
        return [user]
    user.headers["X-Account"] = cast.account.slug
    return [user, program(cast.account, role, cast.members[role])]


def ask(who: Who, method: str, address: str, asks: Asks, body: Any, **headers: str) -> HttpResponseBase:
    """Send one request."""
    accept = "application/json" if address.startswith("/api/") else "text/html"
    options: dict[str, Any] = {"headers": {"Accept": accept, **who.headers, **headers}}
    if body is not None or method not in {"GET", "DELETE"}:
        if address.startswith("/api/") and not asks.content_type:
            options["data"], options["content_type"] = json.dumps(body if body is not None else {}), "application/json"
        else:
            options["data"] = body if body is not None else {}
            if asks.content_type:
                options["content_type"] = asks.content_type
    return getattr(who.client, method.lower())(address + asks.query, **options)  # type: ignore[no-any-return]


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside leaves nothing behind: the next request finds things as this one did."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def address(shape: str, names: dict[str, Any]) -> str:
    """``shape`` with its varying parts filled in."""
    return re.sub(r"<(\w+)>", lambda found: str(names[found.group(1)]), shape)


def made(route: TenantRoute, account: Account) -> dict[str, str]:
    """One object of ``account`` for each varying part of the route but the account."""
    names = {}
    with tenant(account):
        for name, maker in route.of.items():
            found = maker(account)
            names[name] = str(getattr(found, "pk", found))
    return names


def missing(names: dict[str, str]) -> dict[str, str]:
    """Names of the same form that nobody has."""
    return {name: _like(value) for name, value in names.items()}


def _like(value: str) -> str:
    if re.fullmatch(r"[0-9a-f-]{36}", value):
        return str(uuid4())
    return str(int(value) + 1_000_000_007) if value.isdigit() else f"{value}-missing"


# What differs between two answers to the same question: ids of the request and one-time tokens of forms.
_VARYING = [
    (re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]+'), rb"\1-"),
    (re.compile(rb'(X-CSRFToken": ")[^"]+'), rb"\1-"),
    (re.compile(rb"(nonce[-=]\"?)[\w+/=-]{16,}"), rb"\1-"),
]


def bytes_of(response: HttpResponseBase, *names: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body without what varies from request to request, and without the ``names`` asked for."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    request_id = response.headers.get("X-Request-Id", "")
    if not request_id:
        found = re.search(rb'"request_id":\s*"([^"]+)"', body)
        request_id = found.group(1).decode() if found else ""
    for name in (request_id, *names):
        if name:
            body = body.replace(name.encode(), b"?")
    for pattern, put in _VARYING:
        body = pattern.sub(put, body)
    headers = []
    for key, value in sorted(response.headers.items()):
        if key.lower() in {"x-request-id", "date"}:
            continue
        for name in names:
            value = value.replace(name, "?")
        headers.append((key.lower(), re.sub(r"'nonce-[^']+'", "'nonce-'", value)))
    return response.status_code, headers, body
