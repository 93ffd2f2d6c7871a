"""Addresses of this floor's sockets."""

from __future__ import annotations

from django.urls import path

from apps.chat.consumers import InboxConsumer

websocket = [path("app/<slug:account_slug>/live/", InboxConsumer.as_asgi())]
