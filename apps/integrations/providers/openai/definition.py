"""OpenAI, as its API reference describes it (developers.openai.com/api)."""

from datetime import date

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.token_prices import per_million

_MODELS = {
    "gpt-6.1-terra": "GPT-6.1 Terra",
    "gpt-6.1-sol": "GPT-6.1 Sol",
    "gpt-6-luna": "GPT-6 Luna",
    "gpt-5.2": "GPT-5.2",
}
_SINCE = date(2026, 1, 1)

# Of GPT-6 these are the prices of prompts up to 272,000 tokens; what is longer, which hardly any prompt is, costs twice
# as much. Models that shut down soon (GPT-5 on 11 December 2026, GPT-4.1 and GPT-4o on 14 January 2027) are offered no
# more, but have prices as long as somebody may use them.
PROVIDER = Provider(
    name="openai",
    category="ai",
    label="OpenAI",
    description="Chat with the GPT models, and turn texts into vectors.",
    docs_url="https://developers.openai.com/api/docs",
    base_url="https://api.openai.com/v1",
    jobs=frozenset({"ai.chat", "ai.embed"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            placeholder="sk-proj-…",
            pattern=r"sk-\S{8,}",
            pattern_hint="An API key begins with sk-.",
        ),
    ),
    settings=(
        SettingField(
            name="default_model",
            label="Default model",
            kind="choice",
            options=tuple(Option(name, label) for name, label in _MODELS.items()),
            open_choice=True,
            default="gpt-6.1-terra",
        ),
        SettingField(
            name="max_tokens",
            label="Longest answer",
            help="In tokens, unless a request says otherwise; models that think first count that too.",
            kind="number",
            least=1,
            most=128_000,
            default=4096,
        ),
        SettingField(
            name="organization_id",
            label="Organization",
            help="Only for keys that belong to several.",
            placeholder="org-…",
            pattern=r"org-\w+",
            pattern_hint="An organization's id begins with org-.",
        ),
    ),
    main_setting="default_model",
    key_help="OpenAI Platform › API keys",
    prices=(
        *per_million("gpt-6.1-terra", _SINCE, input="1", output="5", cached="0.05", cache_written="1.25"),
        *per_million("gpt-6.1-sol", _SINCE, input="2", output="10", cached="0.10", cache_written="2.50"),
        *per_million("gpt-6-luna", _SINCE, input="0.10", output="0.50", cached="0.01", cache_written="0.125"),
        *per_million("gpt-5", _SINCE, input="1.25", output="10", cached="0.125"),
        *per_million("gpt-5-mini", _SINCE, input="0.25", output="2", cached="0.025"),
        *per_million("gpt-5-nano", _SINCE, input="0.05", output="0.40", cached="0.005"),
        *per_million("gpt-5.2", _SINCE, input="1.75", output="14", cached="0.175"),
        *per_million("gpt-4.1", _SINCE, input="2", output="8", cached="0.50"),
        *per_million("gpt-4.1-mini", _SINCE, input="0.40", output="1.60", cached="0.10"),
        *per_million("gpt-4o", _SINCE, input="2.50", output="10", cached="1.25"),
        *per_million("gpt-4o-mini", _SINCE, input="0.15", output="0.60", cached="0.075"),
        *per_million("text-embedding-3-small", _SINCE, input="0.02"),
        *per_million("text-embedding-3-large", _SINCE, input="0.13"),
    ),
)
