"""Slack, as its Web API reference describes it (docs.slack.dev/reference/methods)."""

from apps.integrations.providers.definition import CredentialField, Provider

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
            help="The app needs the scope chat:write; chat:write.public to write to channels it is not a member of.",
            pattern=r"(xoxe\.)?xoxb-[!-~]+",
            pattern_hint="A bot token begins with xoxb-.",
        ),
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
)
