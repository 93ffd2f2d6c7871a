"""HubSpot, as developers.hubspot.com describes version 3 of its CRM API."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField
from apps.integrations.providers.oauth import OAuth, Revocation

PROVIDER = Provider(
    name="hubspot",
    category="crm",
    label="HubSpot",
    description="Keep contacts in step with HubSpot.",
    docs_url="https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
    base_url="https://api.hubapi.com",
    jobs=frozenset({"crm.upsert_contact", "crm.find_contact"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="Access token of a private app",
            placeholder="pat-eu1-…",
            help="With the scopes crm.objects.contacts.read and crm.objects.contacts.write. "
            "Not needed when you connect by signing in.",
            required=False,
            pattern=r"[\x21-\x7e]+",
            pattern_hint="A token holds no spaces.",
        ),
        CredentialField(
            name="client_id",
            label="Client ID of the app",
            help="Of a public app of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
        ),
        CredentialField(
            name="client_secret",
            label="Client secret of the app",
            help="Verifies what HubSpot sends. On the app's page, under Auth.",
            required=False,
        ),
    ),
    settings=(
        SettingField(
            name="portal_id",
            label="Hub ID",
            placeholder="1234567",
            help="The account that the token must belong to; also makes links to contacts.",
            pattern=r"\d{1,20}",
            pattern_hint="A hub ID is a number.",
        ),
    ),
    main_setting="portal_id",
    key_help="HubSpot › Settings › Integrations › Private apps",
    webhooks=True,
    oauth=OAuth(
        app="hubspot",
        authorize_url="https://app.hubspot.com/oauth/authorize",
        token_url="https://api.hubapi.com/oauth/2026-03/token",  # noqa: S106 - an address
        scopes=("oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"),
        revocation=Revocation(url="https://api.hubapi.com/oauth/2026-03/token/revoke"),
        stands_in=("api_key",),
        refusals=frozenset({"invalid_grant", "BAD_REFRESH_TOKEN", "BAD_AUTH_CODE"}),
        app_help="https://developers.hubspot.com/docs/guides/apps/public-apps/overview",
    ),
)
