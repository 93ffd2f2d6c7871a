"""LangChain's model for Anthropic, on a connection of ours. Takes seconds to import."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import anthropic
from langchain_anthropic import ChatAnthropic
from pydantic import Field

from apps.integrations.language_models.lent_model import LentModel


class AnthropicModel(LentModel, ChatAnthropic):
    """``lent`` is the way out."""

    lent: Any = Field(exclude=True, repr=False)

    @cached_property
    def _client(self) -> anthropic.Client:
        return anthropic.Client(**{**self._client_params, "http_client": self.lent.client})

    @cached_property
    def _async_client(self) -> anthropic.AsyncClient:
        return anthropic.AsyncClient(**{**self._client_params, "http_client": self.lent.asynchronous})

    def _make_message_chunk_from_anthropic_event(self, event: Any, **options: Any) -> Any:
        """Keeps what the first event says was read, which LangChain drops: it is all there is of a broken answer."""
        chunk, block = super()._make_message_chunk_from_anthropic_event(event, **options)
        if event.type == "message_start" and chunk is not None:
            usage = event.message.usage
            cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
            chunk.response_metadata["read_so_far"] = {
                "input": usage.input_tokens + cached + written,
                "cached": cached,
                "cache_written": written,
            }
        return chunk, block
