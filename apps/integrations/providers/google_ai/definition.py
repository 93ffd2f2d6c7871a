"""The Gemini API, as its reference describes it (ai.google.dev/api)."""

from datetime import date

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.token_prices import per_million

_MODELS = {
    "gemini-3.8-flash": "Gemini 3.8 Flash",
    "gemini-3.5-flash": "Gemini 3.5 Flash",
    "gemini-3.5-flash-lite": "Gemini 3.5 Flash-Lite",
    "gemini-2.5-flash-lite": "Gemini 2.5 Flash-Lite",
    "gemini-4-argon": "Gemini 4 Argon",
}
_SINCE = date(2026, 1, 1)
_FULL_PRICE = date(2027, 1, 1)
"""Until then Gemini 3.8 Flash costs half."""

# Of the Pro models the list price of prompts up to 200,000 tokens is left out on purpose: longer ones cost twice as
# much, and a price that is right only most of the time would be shown as if it were right.
PROVIDER = Provider(
    name="google_ai",
    category="ai",
    label="Google AI",
    description="Chat with the Gemini models, and turn texts into vectors.",
    docs_url="https://ai.google.dev/gemini-api/docs/api-key",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    jobs=frozenset({"ai.chat", "ai.embed"}),
    credentials=(CredentialField(name="api_key", label="API key", placeholder="AIza…", pattern=r"\S{8,}"),),
    settings=(
        SettingField(
            name="default_model",
            label="Default model",
            kind="choice",
            options=tuple(Option(name, label) for name, label in _MODELS.items()),
            open_choice=True,
            pattern=r"[\w.-]+",
            pattern_hint="A model's name has letters, digits, points and hyphens.",
            default="gemini-3.8-flash",
        ),
    ),
    main_setting="default_model",
    key_help="Google AI Studio › Get API key",
    prices=(
        *per_million("gemini-3.8-flash", _SINCE, input="0.75", output="3.75", cached="0.075"),
        *per_million("gemini-3.8-flash", _FULL_PRICE, input="1.50", output="7.50", cached="0.15"),
        *per_million("gemini-2.5-flash-lite", _SINCE, input="0.10", output="0.40", cached="0.01"),
        *per_million("gemini-embedding-001", _SINCE, input="0.15"),
    ),
)
