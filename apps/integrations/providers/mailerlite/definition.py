"""MailerLite, as its API reference describes it (developers.mailerlite.com)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="mailerlite",
    category="email_marketing",
    label="MailerLite",
    description="Put people in groups of subscribers, and take them off again.",
    docs_url="https://developers.mailerlite.com/docs/#authentication",
    base_url="https://connect.mailerlite.com/api",
    jobs=frozenset({"email_marketing.subscribe", "email_marketing.unsubscribe"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API token",
            placeholder="eyJ0…",
            help="Of the present MailerLite; keys of MailerLite Classic do not work.",
            pattern=r"[!-~]{20,}",
            pattern_hint="An API token is one long word without spaces.",
        ),
        CredentialField(
            name="webhook_secret",
            label="Webhook secret",
            required=False,
            help="Shown with the webhook at MailerLite. Only needed to receive its events.",
            pattern=r"[!-~]{8,200}",
            pattern_hint="At least 8 letters, digits and signs, without spaces.",
        ),
    ),
    settings=(
        SettingField(
            name="group_id",
            label="Group",
            placeholder="86243178420241125",
            help="The group's ID, for jobs that name none. Without one, people are subscribers in no group.",
            pattern=r"[0-9]{1,20}",
            pattern_hint="Digits only: the group's ID, not its name.",
        ),
    ),
    main_setting="group_id",
    key_help="dashboard.mailerlite.com › Integrations › API",
    webhooks=True,
)
