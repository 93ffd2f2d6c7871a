"""SendGrid, as its API reference describes it (twilio.com/docs/sendgrid/api-reference)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="sendgrid",
    category="email_marketing",
    label="SendGrid",
    description="Put people on lists, and keep from writing to those who left.",
    docs_url="https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    base_url="https://api.sendgrid.com/v3",
    jobs=frozenset({"email_marketing.subscribe", "email_marketing.unsubscribe"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            placeholder="SG.…",
            help="A restricted key with full access to Marketing and to Suppressions is enough.",
            pattern=r"SG\.[A-Za-z0-9._-]{10,200}",
            pattern_hint="An API key begins with SG.",
        ),
        CredentialField(
            name="webhook_public_key",
            label="Webhook verification key",
            required=False,
            secret=False,
            help="Proves that events come from SendGrid: Settings › Mail settings › Event webhook › Signature.",
            pattern=r"[A-Za-z0-9+/]{100,200}={0,2}",
            pattern_hint="One line of letters, digits, +, / and =, as SendGrid shows it.",
        ),
    ),
    settings=(
        SettingField(
            name="default_sender",
            label="Sender",
            kind="email",
            placeholder="news@example.com",
            help="The verified address that your mails at SendGrid come from; your programs read it through the API.",
            pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
            pattern_hint="Enter an e-mail address.",
        ),
    ),
    main_setting="default_sender",
    key_help="app.sendgrid.com › Settings › API keys",
    webhooks=True,
)
