"""WhatsApp Business, as the Cloud API's reference describes it (developers.facebook.com/docs/whatsapp/cloud-api)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="whatsapp",
    category="communication",
    label="WhatsApp Business",
    description="Write to people on WhatsApp, and hear what became of it.",
    docs_url="https://developers.facebook.com/docs/whatsapp/cloud-api/get-started",
    base_url="https://graph.facebook.com/v24.0",
    jobs=frozenset({"communication.send_message"}),
    credentials=(
        CredentialField(
            name="access_token",
            label="Access token",
            placeholder="EAA…",
            help="Of a system user, with whatsapp_business_messaging and whatsapp_business_management.",
            pattern=r"[!-~]{20,}",
            pattern_hint="An access token is a long word without spaces.",
        ),
        CredentialField(
            name="phone_number_id",
            label="Phone number ID",
            placeholder="106540352242922",
            secret=False,
            pattern=r"[0-9]{5,20}",
            pattern_hint="Digits only: the number's ID, not the number.",
        ),
        CredentialField(
            name="app_secret",
            label="App secret",
            required=False,
            help="Proves that deliveries come from WhatsApp. Only needed to receive them.",
            pattern=r"[0-9a-f]{32}",
            pattern_hint="An app secret is 32 digits and letters from a to f.",
        ),
        CredentialField(
            name="verify_token",
            label="Verify token",
            required=False,
            help="A word of your own; enter the same one where you enter the webhook's address.",
            pattern=r"[!-~]{8,200}",
            pattern_hint="At least 8 letters, digits and signs, without spaces.",
        ),
    ),
    settings=(
        SettingField(
            name="template_name",
            label="Template",
            placeholder="order_update",
            help="An approved template with one variable, which becomes the message. Without one, messages reach only "
            "people who wrote to you in the last 24 hours.",
            pattern=r"[a-z0-9_]{1,512}",
            pattern_hint="Lower-case letters, digits and underscores.",
        ),
        SettingField(
            name="template_language",
            label="Template language",
            default="en_US",
            pattern=r"[a-z]{2,3}(_[A-Z]{2,3})?",
            pattern_hint="Such as en, en_US or de.",
        ),
    ),
    main_setting="template_name",
    key_help="developers.facebook.com › your app › WhatsApp › API setup",
    webhooks=True,
)
