"""Anthropic, as its API reference describes it (platform.claude.com/docs)."""

from datetime import date

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.token_prices import per_million

_MODELS = {
    "claude-sonnet-4-6": "Claude Sonnet 4.6",
    "claude-opus-4-6": "Claude Opus 4.6",
    "claude-haiku-4-5": "Claude Haiku 4.5",
    "claude-sonnet-5-5": "Claude Sonnet 5.5",
    "claude-opus-5-5": "Claude Opus 5.5",
    "claude-haiku-5-5": "Claude Haiku 5.5",
    "claude-fable-5-2": "Claude Fable 5.2",
    "claude-opus-4-5": "Claude Opus 4.5",
}
_SINCE = date(2026, 1, 1)
_OPUS = {"input": "5", "output": "25", "cached": "0.50", "cache_written": "6.25"}
_SONNET = {"input": "3", "output": "15", "cached": "0.30", "cache_written": "3.75"}
_OPUS_5_5 = {"input": "4", "output": "20", "cached": "0.20", "cache_written": "5"}
_SONNET_5_5 = {"input": "2", "output": "10", "cached": "0.20", "cache_written": "2.50"}
_FABLE_5_2 = {"input": "8", "output": "40", "cached": "0.20", "cache_written": "10"}
_HAIKU = {"input": "1", "output": "5", "cached": "0.10", "cache_written": "1.25"}

# Claude Haiku 5.5 has no price on purpose: it depends on the prompt's length.
PROVIDER = Provider(
    name="anthropic",
    category="ai",
    label="Anthropic",
    description="Chat with the Claude models.",
    docs_url="https://platform.claude.com/docs/en/api/overview",
    base_url="https://api.anthropic.com/v1",
    jobs=frozenset({"ai.chat"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            placeholder="sk-ant-api03-…",
            pattern=r"sk-ant-\S{8,}",
            pattern_hint="An API key begins with sk-ant-.",
        ),
    ),
    settings=(
        SettingField(
            name="default_model",
            label="Default model",
            kind="choice",
            options=tuple(Option(name, label) for name, label in _MODELS.items()),
            open_choice=True,
            default="claude-sonnet-4-6",
        ),
        SettingField(
            name="max_tokens",
            label="Longest answer",
            help="In tokens, unless a request says otherwise; models that think first get 12,288 more for that.",
            kind="number",
            least=1,
            most=128_000,
            default=4096,
        ),
    ),
    main_setting="default_model",
    key_help="Claude Console › Settings › API keys",
    prices=(
        *(price for name in ("4-5", "4-6") for price in per_million(f"claude-opus-{name}", _SINCE, **_OPUS)),
        *per_million("claude-opus-5-5", _SINCE, **_OPUS_5_5),
        *per_million("claude-sonnet-4-6", _SINCE, **_SONNET),
        *per_million("claude-sonnet-5-5", _SINCE, **_SONNET_5_5),
        *per_million("claude-fable-5-2", _SINCE, **_FABLE_5_2),
        *per_million("claude-haiku-4-5", _SINCE, **_HAIKU),
    ),
)
