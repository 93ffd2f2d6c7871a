"""PayPal, as developer.paypal.com describes Orders (version 2) and webhooks."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField

LIVE, SANDBOX = "https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"

PROVIDER = Provider(
    name="paypal",
    category="payment",
    label="PayPal",
    description="Make check-out links, and see what was paid. PayPal moves the money of an approved payment only when "
    "it is told to: that is done when the payment is next asked for, within three hours.",
    docs_url="https://developer.paypal.com/api/rest/",
    base_url=LIVE,
    jobs=frozenset({"payment.create_checkout", "payment.get_payment"}),
    credentials=(
        CredentialField(
            name="client_id",
            label="Client ID",
            pattern=r"[A-Za-z0-9_-]+",
            pattern_hint="A client ID holds letters, digits, - and _ only.",
        ),
        CredentialField(
            name="client_secret",
            label="Secret",
            pattern=r"[A-Za-z0-9_-]+",
            pattern_hint="A secret holds letters, digits, - and _ only.",
        ),
        CredentialField(
            name="webhook_id",
            label="Webhook ID",
            help="PayPal shows it where you entered this connection's address; it is part of what PayPal signs.",
            required=False,
            secret=False,
            pattern=r"[A-Za-z0-9-]{1,50}",
            pattern_hint="A webhook ID holds letters, digits and - only.",
        ),
    ),
    settings=(
        SettingField(
            name="environment",
            label="Environment",
            kind="choice",
            options=(Option("sandbox", "Sandbox: no money moves"), Option("live", "Live")),
            default="sandbox",
        ),
    ),
    main_setting="environment",
    key_help="PayPal developer dashboard › Apps & credentials",
    webhooks=True,
)
