"""Every address of the product."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from apps.accounts.admin.site import site as admin_site
from apps.accounts.pages import urls as accounts_pages
from apps.chat.pages import urls as chat_pages
from apps.integrations.pages import urls as integrations_pages
from apps.integrations.zerodb.server import urls as zerodb
from apps.vault.pages import urls as vault_pages
from config import health

handler400 = "apps.accounts.pages.errors.bad_request"
handler403 = "apps.accounts.pages.errors.permission_denied"
handler404 = "apps.accounts.pages.errors.page_not_found"
handler429 = "apps.accounts.pages.errors.too_many_requests"
handler500 = "apps.accounts.pages.errors.server_error"

# The tenant pages of all floors share one namespace: app:members, app:contacts, ...
tenant_pages: list[URLPattern | URLResolver] = [
    *accounts_pages.tenant,
    *vault_pages.tenant,
    *integrations_pages.tenant,
    *chat_pages.tenant,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", health.front, name="home"),
    path("health", health.health, name="health"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("admin/", admin_site.urls),
    path("accounts/", include(accounts_pages.people_urls)),
    path("accounts/", include("allauth.urls")),
    path("integrations/", include(integrations_pages.people_urls)),
    path("app/<slug:account_slug>/", include((tenant_pages, "app"))),
    path("hooks/", include("apps.integrations.webhooks.urls")),
    path("zerodb", zerodb.base),
    path("zerodb/", include(zerodb.urlpatterns)),
    path("api/v1/", include("config.api")),
]
if hasattr(settings, "MAILBOX_DIR"):
    urlpatterns.append(path("dev/mail/", include("apps.accounts.mailbox.views")))
