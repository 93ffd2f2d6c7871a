"""Slack, as its Web API reference describes it (docs.slack.dev/reference/methods)."""

from apps.integrations.providers.definition import CredentialField, Provider
from apps.integrations.providers.oauth import OAuth, Revocation

PROVIDER = Provider(
    name="slack",
    category="communication",
    label="Slack",
    description="Write to channels and people of a workspace.",
    docs_url="https://docs.slack.dev/authentication/tokens",
    base_url="https://slack.com/api",
    jobs=frozenset({"communication.send_message"}),
    credentials=(
        CredentialField(
            name="bot_token",
            label="Bot token",
            placeholder="xoxb-…",
            help="The app needs the scope chat:write; chat:write.public to write to channels it is not a member of. "
            "Not needed when you connect by signing in.",
            required=False,
            pattern=r"(xoxe\.)?xoxb-[!-~]+",
            pattern_hint="A bot token begins with xoxb-.",
        ),
        CredentialField(
            name="client_id",
            label="Client ID",
            help="Of an app of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
            pattern=r"[!-~]+",
            pattern_hint="A client ID holds no spaces.",
        ),
        CredentialField(name="client_secret", label="Client secret", required=False),
        CredentialField(
            name="signing_secret",
            label="Signing secret",
            required=False,
            help="Proves that events come from Slack. Only needed to receive them.",
            pattern=r"[0-9a-f]{32}",
            pattern_hint="A signing secret is 32 digits and letters from a to f.",
        ),
    ),
    key_help="api.slack.com/apps › your app › OAuth & Permissions, and Basic Information",
    webhooks=True,
    oauth=OAuth(
        app="slack",
        authorize_url="https://slack.com/oauth/v2/authorize",
        token_url="https://slack.com/api/oauth.v2.access",  # noqa: S106 - an address
        scopes=("chat:write",),
        scope_separator=",",
        # Slack takes a challenge only of apps with PKCE switched on: that makes them public clients, and for good.
        pkce=False,
        revocation=Revocation(url="https://slack.com/api/auth.revoke", how="bearer", which="access"),
        stands_in=("bot_token",),
        refusals=frozenset(
            {"invalid_grant", "invalid_code", "code_already_used", "invalid_refresh_token", "token_revoked"}
        ),
        app_help="https://api.slack.com/apps",
    ),
)
