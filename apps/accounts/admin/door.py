"""The door of the admin: the platform scope, opened once per request, by a super admin who has a name.

Templates are rendered inside the scope, because lists are read from the database only then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import platform, platform_reason


def in_platform_scope(view: Callable[..., Any]) -> Callable[..., Any]:
    """``view`` in the scope of the platform, with ``request.actor`` = the member of staff."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if platform_reason() is not None:
            return _rendered(view(request, *args, **kwargs))
        actor = Actor.staff(request.user)  # type: ignore[arg-type]
        request.actor = actor  # type: ignore[attr-defined]
        with platform(f"{actor.label} works in the admin at {request.path}"):
            return _rendered(view(request, *args, **kwargs))

    return update_wrapper(inner, view)


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.render()
    return response


def staff(request: HttpRequest) -> Actor:
    """Who works in the admin. Raises AttributeError outside of the door."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
