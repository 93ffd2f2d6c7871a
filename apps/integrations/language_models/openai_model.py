"""LangChain's models for OpenAI's protocol, on a connection of ours. Takes seconds to import."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI


class OpenAIModel(ChatOpenAI):
    """OpenAI itself. Asynchronous calls are made in threads, since only those take our connections."""

    _agenerate = BaseChatModel._agenerate
    _astream = BaseChatModel._astream


class CompatibleModel(BaseChatOpenAI):
    """Servers that speak the protocol as it was: ``max_tokens``, chat completions only."""

    _agenerate = BaseChatModel._agenerate
    _astream = BaseChatModel._astream
