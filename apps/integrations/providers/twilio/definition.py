"""Twilio, as its API reference describes it (twilio.com/docs/messaging/api/message-resource)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="twilio",
    category="communication",
    label="Twilio",
    description="Send text messages, and hear what became of them.",
    docs_url="https://www.twilio.com/docs/iam/api-keys",
    base_url="https://api.twilio.com/2010-04-01",
    jobs=frozenset({"communication.send_message"}),
    credentials=(
        CredentialField(
            name="account_sid",
            label="Account SID",
            placeholder="AC…",
            secret=False,
            pattern=r"AC[0-9a-f]{32}",
            pattern_hint="An account SID is AC and 32 digits and letters from a to f.",
        ),
        CredentialField(
            name="auth_token",
            label="Auth token",
            help="Also proves that deliveries come from Twilio.",
            pattern=r"[0-9a-f]{32}",
            pattern_hint="An auth token is 32 digits and letters from a to f.",
        ),
    ),
    settings=(
        SettingField(
            name="from_number",
            label="From",
            placeholder="+15557122661",
            help="A number or sender name of your account; not used when a messaging service is set.",
            pattern=r"\+[1-9][0-9]{6,14}|[0-9]{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}",
            pattern_hint="A number with + and country code, a short code, or a name of at most 11 letters and digits.",
        ),
        SettingField(
            name="messaging_service_sid",
            label="Messaging service",
            placeholder="MG…",
            help="Chooses the sender among its numbers.",
            pattern=r"MG[0-9a-f]{32}",
            pattern_hint="A messaging service is MG and 32 digits and letters from a to f.",
        ),
    ),
    main_setting="from_number",
    key_help="console.twilio.com › Account info",
    webhooks=True,
    products=(("sms", "Text messages"),),
)
