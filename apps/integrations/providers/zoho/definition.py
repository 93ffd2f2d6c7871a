"""Zoho CRM, as version 8 of its API is described (zoho.com/crm/developer/docs/api/v8)."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.oauth import OAuth, Revocation
from apps.integrations.providers.zoho.data_centres import CENTRES, DEFAULT, accounts_host

PROVIDER = Provider(
    name="zoho",
    category="crm",
    label="Zoho CRM",
    description="Keep contacts in step with Zoho CRM.",
    docs_url="https://www.zoho.com/crm/developer/docs/api/v8/oauth-overview.html",
    base_url=f"{DEFAULT}/crm/v8",
    jobs=frozenset({"crm.upsert_contact", "crm.find_contact"}),
    credentials=(
        CredentialField(
            name="client_id",
            label="Client ID",
            placeholder="1000.…",
            help="Of an application of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
            pattern=r"[\x21-\x7e]+",
            pattern_hint="A client ID holds no spaces.",
        ),
        CredentialField(name="client_secret", label="Client secret", required=False),
        CredentialField(
            name="refresh_token",
            label="Refresh token",
            help="Of a self client. Signing in gets one by itself.",
            required=False,
        ),
        CredentialField(
            name="webhook_token",
            label="Notification token",
            help="The token given when notifications were switched on: Zoho sends it back with each.",
            required=False,
            pattern=r"\S{8,50}",
            pattern_hint="Use 8 to 50 characters without spaces (Zoho takes no more).",
        ),
    ),
    settings=(
        SettingField(
            name="api_domain",
            label="Data centre",
            kind="choice",
            options=tuple(Option(host, f"{place} ({host[8:]})") for host, (place, _) in CENTRES.items()),
            default=DEFAULT,
        ),
        SettingField(
            name="sync_frequency",
            label="Sync frequency",
            kind="choice",
            help="How often your programs should bring Zoho in step; they read it through the API.",
            options=(
                Option("manual", "Only when asked"),
                Option("hourly", "Every hour"),
                Option("daily", "Every day"),
                Option("weekly", "Every week"),
            ),
            default="daily",
        ),
    ),
    main_setting="api_domain",
    key_help="Zoho API console › Self client",
    webhooks=True,
    oauth=OAuth(
        app="zoho",
        authorize_url="{server}/oauth/v2/auth",
        token_url="{server}/oauth/v2/token",  # noqa: S106 - an address
        scopes=(
            "ZohoCRM.modules.contacts.READ",
            "ZohoCRM.modules.contacts.CREATE",
            "ZohoCRM.modules.contacts.UPDATE",
            "ZohoCRM.users.READ",
            "ZohoSearch.securesearch.READ",
        ),
        scope_separator=",",
        authorize_params={"access_type": "offline", "prompt": "consent"},
        revocation=Revocation(url="{server}/oauth/v2/token/revoke"),
        refusals=frozenset({"invalid_grant", "invalid_code"}),
        lasts=3600,
        facts={"api_domain": "api_domain"},
        server=accounts_host,
        app_help="https://api-console.zoho.com",
    ),
)
