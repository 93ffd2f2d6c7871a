"""Asking language models: whole answers, answers as they are written, and texts as vectors.

In a request or a task, where the account's scope is open::

    answer = ai.chat([Message(role="user", text="…")], actor=actor)

As it is written, the scope must be over, so that no transaction stays open for minutes while a model writes: begin
in the scope (or name the account), read outside of it. What was used is settled when the answer ends or is given up::

    with ai.stream_chat(messages, actor=actor, account=account) as stream:
        for part in stream: …
    stream.answer.cost

In a consumer: ``async with ai.stream_chat_async(…) as stream: async for part in stream: …``
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.metering import Line
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.integrations.contracts.ai import ChatRequest, Message, Tool
from apps.integrations.language_models.lines import expected_of
from apps.integrations.models import Integration
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import begin
from apps.integrations.services.chat_arguments import check
from apps.integrations.services.chat_streams import AsyncChatStream, ChatAnswer, ChatStream
from apps.integrations.services.embedding import EmbeddedTexts, embed

__all__ = [
    "AsyncChatStream",
    "ChatAnswer",
    "ChatStream",
    "EmbeddedTexts",
    "chat",
    "embed",
    "stream_chat",
    "stream_chat_async",
]


def chat(messages: Sequence[Message], *, actor: Actor, **options: Any) -> ChatAnswer:
    """The whole answer. Takes and raises what ``stream_chat`` does; may be called in a scope, which waits meanwhile."""
    stream = stream_chat(messages, actor=actor, **options)
    with stream:
        stream.read_all()
    return stream.answer


def stream_chat(
    messages: Sequence[Message],
    *,
    actor: Actor,
    account: Account | UUID | None = None,
    system: str = "",
    model: str = "",
    max_tokens: int | None = None,
    temperature: float | None = None,
    stop: Sequence[str] = (),
    tools: Sequence[Tool] = (),
    tool_choice: str = "auto",
    provider: str | None = None,
    integration: Integration | None = None,
    personal_data: Sequence[str] = (),
) -> ChatStream:
    """An answer as it is written, from the account's connection (of that ``provider``, or that ``integration``).

    ``account`` None: the one in scope. ``model`` "": the connection's. ``max_tokens`` None: the connection's.
    ``personal_data``: which kinds of data of persons are in the texts ("email"), for the trail. Raises ValidationError,
    PermissionDenied, NotConfigured, LimitReached, PriceUnknown here; OutboundError while it is read.
    """
    request = ChatRequest(
        model=model.strip(),
        messages=tuple(messages),
        system=system,
        max_tokens=max_tokens,
        temperature=temperature,
        stop=tuple(stop),
        tools=tuple(tools),
        tool_choice=tool_choice,
    )
    check(request)
    with nullcontext() if account is None else tenant(account):
        return _begin(request, actor, provider, integration, personal_data)


def _begin(
    request: ChatRequest,
    actor: Actor,
    provider: str | None,
    integration: Integration | None,
    personal_data: Sequence[str],
) -> ChatStream:
    complete: list[ChatRequest] = []

    def expected(row: Integration) -> tuple[Line, ...]:
        complete.append(_completed(request, row))
        return expected_of(row.provider, complete[-1])

    call = begin("ai.chat", actor=actor, provider=provider, integration=integration, expected=expected)
    try:
        if personal_data:
            call.sent_personal_data(*personal_data)
        return ChatStream(call, complete[-1])
    except BaseException as error:
        call.finish(error)
        raise


def _completed(request: ChatRequest, row: Integration) -> ChatRequest:
    """The request with what the connection's settings say."""
    model = request.model or str(row.setting("default_model") or "")
    if not model:
        raise wrong("model", "Name a model: the connection has no default.", "required")
    limit, setting = request.max_tokens, row.setting("max_tokens")
    if limit is None and setting:
        limit = row.definition.client_class.longest_answer(model, setting)
    return replace(request, model=model, max_tokens=limit)


def stream_chat_async(messages: Sequence[Message], *, account: Account | UUID, **options: Any) -> AsyncChatStream:
    """Like ``stream_chat``, for event loops. It begins, and raises what is wrong, when it is entered."""
    return AsyncChatStream(partial(stream_chat, messages, account=account, **options))
