"""LangChain's models for OpenAI's protocol, on a connection of ours. Takes seconds to import."""

from __future__ import annotations

from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI

from apps.integrations.language_models.lent_model import LentModel


class OpenAIModel(LentModel, ChatOpenAI):
    """OpenAI itself."""


class CompatibleModel(LentModel, BaseChatOpenAI):
    """Servers that speak the protocol as it was: ``max_tokens``, chat completions only."""
