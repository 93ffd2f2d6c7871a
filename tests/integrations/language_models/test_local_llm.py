"""A real model, really asked: llama.cpp on loopback, through everything that an account's request goes through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import Account, UsageEvent
from apps.accounts.tenancy.scope import tenant
from apps.integrations.contracts.ai import Message
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.outbound.errors import AddressRefused
from apps.integrations.services import ai
from apps.integrations.services.connections import connect
from apps.integrations.services.trying import test_connection as try_it
from tests.factories import make_account
from tests.stand_ins.local_llm import is_installed, local_llm

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.covers("I-04", "I-05"),
    pytest.mark.skipif(not is_installed(), reason="the extra local-llm is not installed"),
]
ACTOR = Actor.system("tests")
ASKED = [Message(role="user", text="What is the capital of France?")]


@pytest.fixture(scope="module")
def chatting() -> Iterator[str]:
    with local_llm() as address:
        yield address


@pytest.fixture(autouse=True)
def own_addresses(settings: Any) -> None:
    close_all()
    settings.PROVIDER_URLS = {}


@pytest.fixture
def opened(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


def account_at(address: str) -> Account:
    account = make_account()
    with tenant(account):
        connect(
            actor=ACTOR,
            category="ai",
            provider_name="openai_compatible",
            credentials={},
            settings={"base_url": address, "default_model": "smollm2"},
        )
    return account


def test_it_answers_whole_and_in_pieces_the_same(chatting: str, opened: None) -> None:
    account = account_at(chatting)
    options: dict[str, Any] = {"actor": ACTOR, "max_tokens": 24, "temperature": 0.0, "system": "Answer briefly."}
    with tenant(account):
        whole = ai.chat(ASKED, **options)
    with ai.stream_chat(ASKED, account=account, **options) as stream:
        pieces = [part.text for part in stream]
    assert "France" in whole.text  # it is a very small model
    assert "".join(pieces) == whole.text
    assert len(pieces) > 3
    assert whole.finish in {"stop", "length"}
    assert not whole.usage.estimated
    assert whole.usage.input > 10
    assert 0 < whole.usage.output <= 24
    assert whole.cost is None
    with tenant(account):
        written = list(UsageEvent.objects.filter(unit="output_tokens").values_list("quantity", flat=True))
    assert [int(quantity) for quantity in written] == [whole.usage.output] * 2


def test_its_connection_is_tested(chatting: str, opened: None) -> None:
    account = account_at(chatting)
    with tenant(account):
        outcome = try_it(Integration.objects.get(), actor=ACTOR)
    assert outcome.ok
    assert outcome.identity == "127.0.0.1"


def test_without_the_operators_word_it_is_not_reached(chatting: str) -> None:
    with tenant(account_at(chatting)), pytest.raises(AddressRefused):
        ai.chat(ASKED, actor=ACTOR)


def test_it_turns_texts_into_vectors(opened: None) -> None:
    texts = ["A cat sleeps.", "A cat is sleeping.", "The stock market fell by four per cent."]
    with local_llm(embedding=True) as address, tenant(account_at(address)):
        got = ai.embed(texts, actor=ACTOR, model="smollm2")
    assert got.dimensions == 576
    assert got.usage.input > 10
    near, far = (sum(a * b for a, b in zip(got.vectors[0], other, strict=True)) for other in got.vectors[1:])
    assert near > far
