"""Every route of the URL configuration, as the resolver sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One address: its shape with ``<name>`` for what varies, and the view that answers."""

    shape: str
    view: Callable[..., Any]

    @property
    def module(self) -> str:
        return getattr(self.view, "__module__", "")

    @property
    def action(self) -> str:
        """The action a tenant page declares for itself, or ""."""
        return getattr(self.view, "action", "")


def every_route() -> list[Route]:
    """All routes, in the order in which they are tried."""
    return list(_walk(get_resolver().url_patterns, "/"))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Route]:
    for entry in patterns:
        shape = prefix + _shape(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, shape)
        else:
            yield Route(shape.replace("//", "/"), entry.callback)


def _shape(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        # <uuid:contact_id> and <contact_id> are one shape.
        return "".join(f"<{part.rpartition(':')[2]}" if ">" in part else part for part in str(pattern).split("<"))
    return str(simplify_regex(str(pattern))).lstrip("/")
