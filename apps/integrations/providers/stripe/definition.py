"""Stripe, as its API reference describes it (docs.stripe.com/api)."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField

_CURRENCIES = ("eur", "usd", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "cad", "aud", "jpy")

PROVIDER = Provider(
    name="stripe",
    category="payment",
    label="Stripe",
    description="Make check-out links, and see what was paid.",
    docs_url="https://docs.stripe.com/keys",
    base_url="https://api.stripe.com/v1",
    jobs=frozenset({"payment.create_checkout", "payment.get_payment"}),
    credentials=(
        CredentialField(
            name="secret_key",
            label="Secret key",
            placeholder="sk_live_…",
            help="A restricted key (rk_) with Checkout Sessions: write, PaymentIntents: read, Charges: read and "
            "Balance: read is enough.",
            pattern=r"(sk|rk)_(live|test)_\S+",
            pattern_hint="A secret key begins with sk_live_, sk_test_, rk_live_ or rk_test_.",
        ),
        CredentialField(
            name="publishable_key",
            label="Publishable key",
            placeholder="pk_live_…",
            required=False,
            secret=False,
            pattern=r"pk_(live|test)_\S+",
            pattern_hint="A publishable key begins with pk_live_ or pk_test_.",
        ),
        CredentialField(
            name="webhook_secret",
            label="Webhook signing secret",
            placeholder="whsec_…",
            required=False,
            pattern=r"whsec_\S+",
            pattern_hint="A signing secret begins with whsec_.",
        ),
    ),
    settings=(
        SettingField(
            name="currency",
            label="Currency",
            kind="choice",
            options=tuple(Option(code, code.upper()) for code in _CURRENCIES),
            open_choice=True,
            pattern=r"[a-z]{3}",
            pattern_hint="A currency is three lower-case letters (ISO 4217).",
            default="eur",
        ),
    ),
    main_setting="currency",
    key_help="Stripe dashboard › Developers › API keys",
    webhooks=True,
)
