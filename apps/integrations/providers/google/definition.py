"""Gmail, as Google's Gmail API and its OAuth 2.0 for web server applications are described (developers.google.com)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField
from apps.integrations.providers.oauth import OAuth, Revocation

PROVIDER = Provider(
    name="google",
    category="communication",
    label="Gmail",
    description="Write e-mails from a Google mailbox.",
    docs_url="https://developers.google.com/workspace/gmail/api/guides/sending",
    base_url="https://gmail.googleapis.com",
    jobs=frozenset({"communication.send_message"}),
    credentials=(
        CredentialField(
            name="client_id",
            label="Client ID",
            placeholder="….apps.googleusercontent.com",
            help="Of a web application of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
            pattern=r"[!-~]+",
            pattern_hint="A client ID holds no spaces.",
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
    ),
    main_setting="subject",
    key_help="Google Cloud console › Google Auth Platform › Clients",
    oauth=OAuth(
        app="google",
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        scopes=("openid", "email", "https://www.googleapis.com/auth/gmail.send"),
        # Without both Google gives no refresh token to somebody who has consented before.
        authorize_params={"access_type": "offline", "prompt": "consent"},
        revocation=Revocation(url="https://oauth2.googleapis.com/revoke"),
        app_help="https://console.cloud.google.com/auth/clients",
    ),
)
