"""What the clients of language models share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import orjson

from apps.integrations.contracts.ai import ChatRequest, ChatTurn
from apps.integrations.language_models.conversion import to_messages, to_tools
from apps.integrations.language_models.turn import Turn
from apps.integrations.outbound.errors import BadAddress, OutboundError
from apps.integrations.outbound.http import Answer
from apps.integrations.outbound.lent import LentConnection
from apps.integrations.providers.client import ProviderClient
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Unavailable,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

PLACEHOLDER = "set-on-the-way-out"
"""What libraries get in the place of the key, which ``LentConnection`` puts in."""


class LanguageModelClient(ProviderClient):
    """A provider says which LangChain model speaks its protocol (``chat_model``) and how it reports errors."""

    own_headers: ClassVar[tuple[str, ...]] = ()
    """Headers of the library that the service's protocol needs."""
    kinds: ClassVar[Mapping[str, type[ProviderError]]] = {}
    """What the service's documented error codes mean."""
    texts_per_call: int = 100

    def chat_model(self, request: ChatRequest, connection: LentConnection) -> BaseChatModel:
        """The model for one call, made so that it goes out by ``connection`` and never tries twice by itself."""
        raise NotImplementedError

    def chat(self, request: ChatRequest) -> ChatTurn:
        """Ask. Nothing is sent before the first part is read. Raises OutboundError."""
        connection = self.lend()
        return Turn(request, connection, partial(self._ask, request, connection), self.tell, self.provider.label)

    def lend(self) -> LentConnection:
        """A connection for one call of a library."""
        return LentConnection(
            self.base_url(),
            headers=self.authentication(),
            written_by=self.writer_of(self.base_url()),
            judge=self.judge,
            own=self.own_headers,
            attempts=self._attempts,
            allowed=self._allowed,
        )

    def _ask(self, request: ChatRequest, connection: LentConnection) -> Iterator[AIMessageChunk]:
        from langsmith import tracing_context

        with tracing_context(enabled=False):  # else the environment could send every conversation to a third place
            model: Any = self.chat_model(request, connection)
            options: dict[str, Any] = {"stop": list(request.stop)} if request.stop else {}
            if request.tools:
                model = model.bind_tools(to_tools(request.tools), tool_choice=self.tool_choice(request))
            chunks: Iterator[AIMessageChunk] = model.stream(to_messages(request), **options)
            yield from chunks

    def tool_choice(self, request: ChatRequest) -> Any:
        """As the LangChain model wants it. "auto" in place of what a model refuses."""
        return request.tool_choice

    @classmethod
    def longest_answer(cls, model: str, setting: int) -> int:  # noqa: ARG003 - for services that go by it
        """``max_tokens`` of a request that names none, by the connection's ``setting``."""
        return setting

    def limit_of(self, request: ChatRequest) -> int:
        """``max_tokens`` to ask for, where the connection has a setting for it."""
        return request.max_tokens or self.longest_answer(request.model, self.settings["max_tokens"])

    def tell(self, error: BaseException) -> OutboundError | None:
        """What a library's error means: those that came in the middle of an answer carry the service's words."""
        for cause in _chain(error):
            body = getattr(cause, "body", None) or getattr(cause, "details", None)
            if isinstance(body, str):
                try:
                    body = orjson.loads(body)
                except orjson.JSONDecodeError:
                    continue
            if isinstance(body, dict | list):
                answer = Answer(0, {}, orjson.dumps(body))
                return self.judge(answer)
        return None

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        """By the code where the status leaves it open: in the middle of an answer (0), and among 400, 429 and 5xx."""
        by_code = self.kinds.get(code)
        if status == 0:
            return by_code or Unavailable
        by_status = super().kind_of(status, code)
        if by_code is None or by_status in {CredentialRefused, NotPermitted, Missing}:
            return by_status
        if by_status is RateLimited:
            return by_code if by_code is QuotaUsedUp else by_status
        return by_status if by_status is Unavailable and not issubclass(by_code, Unavailable) else by_code

    def sits_at(self) -> tuple[str, str]:
        """Scheme and host of the service, and the path, each without a slash at its end."""
        parts = urlsplit(self.base_url())
        if not parts.netloc:
            raise BadAddress.about(self.provider.label)
        return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
