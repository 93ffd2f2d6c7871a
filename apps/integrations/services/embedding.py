"""Texts as vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.accounts.actors import Actor
from apps.accounts.metering import Line
from apps.integrations.contracts.ai import Embeddings, TokenUsage
from apps.integrations.language_models.lines import item_of, used_of
from apps.integrations.language_models.tokens import count
from apps.integrations.models import Integration
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import calling

TOKENS_PER_CALL = 100_000
"""About; services refuse larger batches."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedTexts(Embeddings):
    """Vectors, and what they cost in the platform's currency; None when nobody knows the price."""

    cost: Decimal | None


def embed(
    texts: Sequence[str],
    *,
    actor: Actor,
    model: str = "",
    dimensions: int | None = None,
    provider: str | None = None,
    integration: Integration | None = None,
    personal_data: Sequence[str] = (),
) -> EmbeddedTexts:
    """A vector for each text, in their order, for the account in scope; in as many calls as the service needs.

    ``model`` "": the provider's usual one. ``dimensions`` None: the model's. Raises ValidationError, PermissionDenied,
    NotConfigured, LimitReached, PriceUnknown, OutboundError.
    """
    texts = list(texts)
    if not texts or not all(text.strip() for text in texts):
        raise wrong("texts", "Each text must say something.", "required")
    if dimensions is not None and dimensions < 1:
        raise wrong("dimensions", "Must be at least 1.", "min_value")

    def expected(row: Integration) -> tuple[Line, ...]:
        return (Line("input_tokens", sum(map(count, texts)), item_of(row.provider, _model(row, model))),)

    with calling("ai.embed", actor=actor, provider=provider, integration=integration, expected=expected) as call:
        if personal_data:
            call.sent_personal_data(*personal_data)
        name = _model(call.integration, model)
        got = Embeddings(vectors=[], model=name, usage=TokenUsage())
        for batch in _batches(texts, call.client.texts_per_call):
            more: Embeddings = call.client.embed(batch, model=name, dimensions=dimensions)
            if got.vectors and more.dimensions != got.dimensions:
                raise BadAnswer.about(call.integration.label, "the vectors are not of one length")
            got = _joined(got, more)
            call.used = used_of(call.integration.provider, name, got.usage)
    return EmbeddedTexts(**vars(got), cost=call.cost)


def _model(row: Integration, asked: str) -> str:
    model = asked.strip() or str(getattr(row.definition.client_class, "default_embedding_model", ""))
    if not model:
        raise wrong("model", "Name a model: this service has no usual one.", "required")
    return model


def _batches(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    batch: list[str] = []
    tokens = 0
    for text in texts:
        size = count(text)
        if batch and (len(batch) == most or tokens + size > TOKENS_PER_CALL):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += size
    yield batch


def _joined(one: Embeddings, other: Embeddings) -> Embeddings:
    usage = TokenUsage(
        input=one.usage.input + other.usage.input, estimated=one.usage.estimated or other.usage.estimated
    )
    return replace(other, vectors=[*one.vectors, *other.vectors], usage=usage)
