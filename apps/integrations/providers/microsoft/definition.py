"""Outlook, as Microsoft Graph 1.0 and the Microsoft identity platform are described (learn.microsoft.com)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from apps.integrations.providers.definition import CredentialField, Provider, SettingField
from apps.integrations.providers.oauth import OAuth


def _sign_in_at(settings: Mapping[str, Any], redirect: Mapping[str, str]) -> str:
    return f"https://login.microsoftonline.com/{quote(str(settings.get('tenant') or 'common'), safe='')}"


PROVIDER = Provider(
    name="microsoft",
    category="communication",
    label="Microsoft Outlook",
    description="Write e-mails from a Microsoft 365 mailbox.",
    docs_url="https://learn.microsoft.com/graph/api/user-sendmail",
    base_url="https://graph.microsoft.com/v1.0",
    jobs=frozenset({"communication.send_message"}),
    credentials=(
        CredentialField(
            name="client_id",
            label="Application (client) ID",
            help="Of an app registration of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
            pattern=r"[!-~]+",
            pattern_hint="An application ID holds no spaces.",
        ),
        CredentialField(name="client_secret", label="Client secret", required=False),
        CredentialField(
            name="refresh_token", label="Refresh token", help="Signing in gets one by itself.", required=False
        ),
    ),
    settings=(
        SettingField(
            name="subject",
            label="Subject",
            help="Of every e-mail: messages have none of their own.",
            default="A message for you",
        ),
        SettingField(
            name="tenant",
            label="Directory (tenant)",
            help="common for everybody, or the ID of your own directory when the application is for it alone.",
            pattern=r"[A-Za-z0-9.-]{1,120}",
            pattern_hint="A tenant is a word such as common, a domain or an ID.",
            default="common",
        ),
    ),
    main_setting="subject",
    key_help="Microsoft Entra admin centre › App registrations",
    oauth=OAuth(
        app="microsoft",
        authorize_url="{server}/oauth2/v2.0/authorize",
        token_url="{server}/oauth2/v2.0/token",  # noqa: S106 - an address
        scopes=("offline_access", "User.Read", "Mail.Send"),
        revocation_help="https://myapplications.microsoft.com",
        refusals=frozenset({"invalid_grant", "interaction_required"}),
        server=_sign_in_at,
        app_help="https://entra.microsoft.com",
    ),
)
