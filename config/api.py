"""Every address of the API, below /api/v1/."""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from apps.accounts.api.nowhere import NowhereView
from apps.accounts.api.schema import SchemaView, docs

app_name = "api"
urlpatterns = [
    path("", include("apps.accounts.api.routes")),
    path("", include("apps.vault.api.routes")),
    path("", include("apps.integrations.api.routes")),
    path("", include("apps.chat.api.routes")),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("docs", RedirectView.as_view(pattern_name="api:docs", permanent=True)),
    re_path(r"", NowhereView.as_view(), name="nowhere"),
]
