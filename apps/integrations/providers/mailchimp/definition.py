"""Mailchimp, as its Marketing API reference describes it (mailchimp.com/developer/marketing/api)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

SERVER_PREFIX = r"us[0-9]{1,3}"

PROVIDER = Provider(
    name="mailchimp",
    category="email_marketing",
    label="Mailchimp",
    description="Put people on an audience, and take them off again.",
    docs_url="https://mailchimp.com/help/about-api-keys/",
    base_url="https://us1.api.mailchimp.com/3.0",
    jobs=frozenset({"email_marketing.subscribe", "email_marketing.unsubscribe"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            placeholder="…-us21",
            pattern=r"[!-~]{8,200}",
            pattern_hint="An API key is one word without spaces.",
        ),
        CredentialField(
            name="server_prefix",
            label="Server prefix",
            placeholder="us21",
            help="The part of the key after the dash; also the first word of Mailchimp's own address.",
            secret=False,
            pattern=SERVER_PREFIX,
            pattern_hint="A server prefix is us and a number, such as us21.",
        ),
        CredentialField(
            name="webhook_secret",
            label="Webhook secret",
            required=False,
            help="Mailchimp does not sign what it sends. Make up a word, save it here, and add it to the webhook's "
            "address as ?secret=…; whatever comes without it is refused.",
            pattern=r"[A-Za-z0-9_-]{16,200}",
            pattern_hint="At least 16 letters, digits, dashes and underscores.",
        ),
    ),
    settings=(
        SettingField(
            name="default_list_id",
            label="Audience",
            placeholder="a1b2c3d4e5",
            help="The audience's ID, for jobs that name none.",
            pattern=r"[A-Za-z0-9]{4,40}",
            pattern_hint="Letters and digits only: the audience's ID, not its name.",
        ),
        SettingField(
            name="double_optin",
            label="Double opt-in",
            kind="boolean",
            default=True,
            help="New people get a mail by which they confirm. Only this way can they come back who once left.",
        ),
    ),
    main_setting="default_list_id",
    key_help="Mailchimp › Profile › Extras › API keys",
    webhooks=True,
)
