"""Servers that speak OpenAI's protocol under an address of their own."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

_OPENROUTER = "https://openrouter.ai/api/v1"

PROVIDER = Provider(
    name="openai_compatible",
    category="ai",
    label="OpenAI-compatible",
    description="Chat and vectors from OpenRouter, Ollama, vLLM, or any other server that speaks OpenAI's protocol.",
    docs_url="https://openrouter.ai/docs/api/reference/overview",
    base_url=_OPENROUTER,
    jobs=frozenset({"ai.chat", "ai.embed"}),
    credentials=(
        CredentialField(
            name="api_key", label="API key", required=False, help="Servers of your own often need none.", pattern=r"\S+"
        ),
    ),
    settings=(
        SettingField(
            name="base_url",
            label="Address",
            help="Up to and with /v1. Inside your network only what your operator opens is reached.",
            kind="url",
            default=_OPENROUTER,
        ),
        SettingField(name="default_model", label="Default model", help="By the server's own name."),
        SettingField(
            name="max_tokens",
            label="Longest answer",
            help="In tokens, unless a request says otherwise.",
            kind="number",
            least=1,
            most=1_000_000,
            default=4096,
        ),
    ),
    main_setting="default_model",
    key_help="Your server, or OpenRouter › Keys",
)
