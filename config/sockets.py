"""The door for WebSockets: a page of ours, at an address that is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from apps.accounts.live.visitors import is_own_page
from apps.chat.routing import websocket

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


async def refuse(scope: Scope, receive: Any, send: Any) -> None:
    """End the handshake (403)."""
    await receive()
    await send({"type": "websocket.close"})


def own_pages(app: App) -> App:
    """``app``, for sockets that a page from this very host opens."""

    async def guarded(scope: Scope, receive: Any, send: Any) -> None:
        await (app if is_own_page(scope["headers"]) else refuse)(scope, receive, send)

    return guarded


_elsewhere = re_path(r"", refuse)  # type: ignore[arg-type] # a route to an application, not to a view
# Ours first: the other one fails on an origin that is no address.
sockets = own_pages(AllowedHostsOriginValidator(URLRouter([*websocket, _elsewhere])))
