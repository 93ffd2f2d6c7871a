"""Every address of the API, below /api/v1/."""

from django.urls import include, path, re_path

from apps.accounts.api.nowhere import NowhereView

app_name = "api"
urlpatterns = [
    path("", include("apps.accounts.api.routes")),
    path("", include("apps.vault.api.routes")),
    re_path(r"", NowhereView.as_view()),
]
