"""Addresses of this floor's pages, below /app/<slug>/ in the namespace ``app``."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.integrations.pages import (
    ai,
    ai_features,
    catalogue,
    changes,
    configure,
    connection,
    consent,
    consent_callback,
    usage,
)

_ONE = "integrations/<uuid:integration_id>/"

tenant: list[URLPattern] = [
    path("ai/", ai.ai, name="ai"),
    path("ai/use.csv", ai_features.use_csv, name="ai_use_csv"),
    path("ai/provision/", ai.provision, name="ai_provision"),
    path("ai/features/", ai_features.switch, name="ai_feature"),
    path("integrations/", catalogue.integrations, name="integrations"),
    path("integrations/connect/", configure.connect, name="integration_connect"),
    path(_ONE, connection.integration, name="integration"),
    path(f"{_ONE}usage.csv", usage.usage_csv, name="integration_usage_csv"),
    path(f"{_ONE}configure/", configure.configure, name="integration_configure"),
    path(f"{_ONE}test/", changes.test, name="integration_test"),
    path(f"{_ONE}switch/", changes.switch, name="integration_switch"),
    path(f"{_ONE}rotate/", changes.rotate, name="integration_rotate"),
    path(f"{_ONE}remove/", changes.remove, name="integration_remove"),
    path(f"{_ONE}connect/", consent.connect, name="integration_consent"),
    path(f"{_ONE}connected/", consent.connected, name="integration_connected"),
    path(f"{_ONE}disconnect/", consent.disconnect, name="integration_disconnect"),
]

# Below /integrations/: of no account, until the state of the request says of which.
people_urls: list[URLPattern] = [path("oauth/callback/", consent_callback.callback, name="oauth_callback")]
