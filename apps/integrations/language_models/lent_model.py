"""What LangChain's models need in order to go out by our connections. Takes seconds to import."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel


class LentModel(BaseChatModel):
    """Put it before a service's model: asynchronous calls are made in threads, since only those take our connections.

    What LangChain would tell its tracers of each model, which nobody listens to, is left out: writing it takes longer
    than all else before the first byte.
    """

    _agenerate = BaseChatModel._agenerate
    _astream = BaseChatModel._astream

    @cached_property
    def _serialized(self) -> dict[str, Any]:
        return {}
