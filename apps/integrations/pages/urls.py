"""Addresses of this floor's pages, below /app/<slug>/ in the namespace ``app``."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.integrations.pages import ai

tenant: list[URLPattern] = [
    path("ai/", ai.ai, name="ai"),
    path("ai/provision/", ai.provision, name="ai_provision"),
]
