"""Asking models for an account: metered, settled once however it ends, from threads and from event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection as database

from apps.accounts.actors import Actor
from apps.accounts.metering import LimitReached
from apps.accounts.models import Account, Limit, Reservation, UsageEvent
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import current_account_id, tenant
from apps.integrations.contracts.ai import Message, Tool
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.outbound.errors import NoAnswer, OutboundError
from apps.integrations.providers.errors import CredentialRefused, RateLimited
from apps.integrations.services import ai
from apps.integrations.services.calling import NotConfigured
from apps.integrations.services.connections import connect
from apps.vault.audit.selectors import entries
from tests.event_loops import synchronously
from tests.factories import make_account
from tests.integrations.language_models.asking import HELLO, KEY, PATHS
from tests.stand_ins import language_models as stand_in
from tests.stand_ins.language_models import CUT, Model, Pause, Refusal, language_model

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-05", "I-10")]
ACTOR = Actor.system("tests")
ANSWER = (*stand_in.openai_text("One ", "two ", "three."), *stand_in.openai_end())
PRICED = {"input_tokens": Decimal("25"), "output_tokens": Decimal("15")}
COST = Decimal("25") * Decimal("1") / 1_000_000 + Decimal("15") * Decimal("5") / 1_000_000


@pytest.fixture
def model(settings: Any) -> Iterator[Model]:
    close_all()
    with language_model() as running:
        settings.PROVIDER_URLS = {name: running.url(path) for name, path in PATHS.items()}
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        running.says(*ANSWER)
        yield running
    close_all()


@pytest.fixture
def account(transactional_db: Any) -> Account:
    account = make_account()
    connected(account, "openai")
    return account


def connected(account: Account, name: str, **values: Any) -> Integration:
    with tenant(account):
        return connect(actor=ACTOR, category="ai", provider_name=name, credentials={"api_key": KEY}, **values)


def events(account: Account) -> dict[str, UsageEvent]:
    with tenant(account):
        assert not Reservation.objects.filter(state=Reservation.State.OPEN).exists()
        rows = list(UsageEvent.objects.all())
    assert len({row.unit for row in rows}) == len(rows)
    return {row.unit: row for row in rows}


def kept(account: Account) -> Integration:
    with tenant(account):
        return Integration.objects.get()


def test_an_answer_is_counted_and_priced(account: Account, model: Model) -> None:
    with tenant(account):
        answer = ai.chat([HELLO], actor=ACTOR)
    assert (answer.text, answer.finish, answer.cost) == ("One two three.", "stop", COST)
    rows = events(account)
    assert {unit: row.quantity for unit, row in rows.items() if unit != "calls"} == PRICED
    assert {row.item for unit, row in rows.items() if unit != "calls"} == {"openai/gpt-6.1-terra"}
    assert rows["calls"].ok
    assert rows["calls"].subject == kept(account).id
    assert rows["calls"].duration_ms >= 0
    assert kept(account).last_used_at is not None


def test_a_model_without_a_price_costs_nobody_knows_what(account: Account, model: Model) -> None:
    with tenant(account):
        assert ai.chat([HELLO], actor=ACTOR, model="gpt-77").cost is None
    assert events(account)["output_tokens"].cost is None


def test_a_stream_is_read_outside_of_any_transaction_and_settled_at_its_end(account: Account, model: Model) -> None:
    stream = ai.stream_chat([HELLO], actor=ACTOR, account=account)
    texts = []
    for part in stream:
        assert not database.in_atomic_block
        assert current_account_id() is None
        texts.append(part.text)
    assert texts == ["One ", "two ", "three."]
    assert stream.answer.cost == COST
    assert events(account)["calls"].ok


def test_a_stream_refuses_to_hold_a_transaction_open(account: Account, model: Model) -> None:
    with tenant(account), ai.stream_chat([HELLO], actor=ACTOR) as stream, pytest.raises(RuntimeError, match="outside"):
        next(stream)
    assert model.asked == []


def test_a_stream_given_up_ends_the_connection_and_counts_what_came(account: Account, model: Model) -> None:
    model.says(*stand_in.openai_text("One two three four"), Pause(100))
    with ai.stream_chat([HELLO], actor=ACTOR, account=account) as stream:
        assert next(stream).text == "One two three four"
    assert model.gone.wait(60)
    assert stream.answer.usage.estimated
    rows = events(account)
    assert rows["calls"].ok
    assert rows["output_tokens"].quantity == 5
    assert kept(account).status == Integration.Status.CONNECTED


def test_a_stream_that_breaks_is_an_error_that_counts_what_came(account: Account, model: Model) -> None:
    model.says(*stand_in.openai_text("One two three four"), CUT)
    stream = ai.stream_chat([HELLO], actor=ACTOR, account=account)
    with pytest.raises(NoAnswer):
        list(stream)
    rows = events(account)
    assert not rows["calls"].ok
    assert rows["output_tokens"].quantity == 5
    assert kept(account).status == Integration.Status.ERROR


def test_a_refusal_counts_as_an_error_and_no_tokens(account: Account, model: Model) -> None:
    model.says(Refusal(401, {"error": {"message": "No.", "code": "invalid_api_key"}}))
    with tenant(account), pytest.raises(CredentialRefused):
        ai.chat([HELLO], actor=ACTOR)
    rows = events(account)
    assert list(rows) == ["calls"]
    assert not rows["calls"].ok
    assert kept(account).last_error_todo == "Enter a new credential."


def test_a_service_with_too_much_to_do_is_asked_once_more(account: Account, model: Model) -> None:
    answers = iter([(Refusal(429, {"error": {"message": "Slow"}}, {"Retry-After": "0"}),), ANSWER])
    model.script = lambda _: next(answers)
    with tenant(account):
        assert ai.chat([HELLO], actor=ACTOR).text == "One two three."
    assert len(model.asked) == 2


def test_a_long_wait_is_left_to_the_caller(account: Account, model: Model) -> None:
    model.says(Refusal(429, {"error": {"message": "Slow"}}, {"Retry-After": "60"}))
    with tenant(account), pytest.raises(RateLimited) as failure:
        ai.chat([HELLO], actor=ACTOR)
    assert failure.value.retry_after == 60
    assert len(model.asked) == 1


def test_an_answer_that_may_not_fit_the_limit_is_not_asked_for(account: Account, model: Model) -> None:
    with tenant(account):
        Limit.objects.create(measure="quantity", unit="output_tokens", period="day", amount=1000)
    with tenant(account):
        with pytest.raises(LimitReached):
            ai.chat([HELLO], actor=ACTOR, max_tokens=1001)
        assert ai.chat([HELLO], actor=ACTOR, max_tokens=1000).text
    assert len(model.asked) == 1


def test_what_a_model_may_think_is_set_aside_too(account: Account, model: Model) -> None:
    connected(account, "anthropic")
    with tenant(account):
        Limit.objects.create(measure="quantity", unit="output_tokens", period="day", amount=16_383)
    with tenant(account), pytest.raises(LimitReached):
        ai.chat([HELLO], actor=ACTOR, provider="anthropic", model="claude-sonnet-5-5")
    assert model.asked == []
    model.says(stand_in.anthropic_start(), *stand_in.anthropic_text("Hi"), *stand_in.anthropic_end())
    with tenant(account):
        assert ai.chat([HELLO], actor=ACTOR, provider="anthropic", model="claude-sonnet-4-6").text == "Hi"
    assert model.asked[0].body["max_tokens"] == 4096


def test_in_an_event_loop_it_is_read_without_holding_it_up(account: Account, model: Model) -> None:
    model.says(
        *stand_in.openai_text("One "), Pause(0.3), stand_in.openai_chunk({"content": "two"}), *stand_in.openai_end()
    )

    async def read() -> tuple[list[str], int, Any]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with ai.stream_chat_async([HELLO], actor=ACTOR, account=account) as stream:
            texts = [part.text async for part in stream]
        ticking.cancel()
        return texts, ticks, stream.answer

    texts, ticks, answer = synchronously(read)()
    assert texts == ["One ", "two"]
    assert ticks >= 10
    assert answer.cost == COST
    assert events(account)["calls"].ok


def test_a_cancelled_reader_ends_the_connection_at_once(account: Account, model: Model) -> None:
    model.says(*stand_in.openai_text("One "), Pause(100))

    async def read() -> None:
        async with ai.stream_chat_async([HELLO], actor=ACTOR, account=account) as stream:
            async for _ in stream:
                pass

    async def cancelled() -> float:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(read())
        while not model.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        began = loop.time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time() - began

    assert synchronously(cancelled)() < 30
    assert model.gone.wait(60)
    rows = events(account)
    assert rows["calls"].ok
    assert rows["output_tokens"].quantity == 1
    assert kept(account).status == Integration.Status.CONNECTED


def test_streams_of_many_readers_do_not_mix(account: Account, model: Model) -> None:
    def echo(asked: Any) -> Iterator[bytes]:
        word = asked.body["messages"][-1]["content"]
        yield from stand_in.openai_text(*[word] * 20)
        yield from stand_in.openai_end()

    model.script = echo
    heard: dict[int, str] = {}

    def read(number: int) -> None:
        stream = ai.stream_chat([Message(role="user", text=f"<{number}>")], actor=ACTOR, account=account)
        heard[number] = "".join(part.text for part in stream)

    threads = [threading.Thread(target=read, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert heard == {number: f"<{number}>" * 20 for number in range(8)}


def test_the_trail_says_which_personal_data_went_out(account: Account, model: Model) -> None:
    with tenant(account):
        ai.chat([HELLO], actor=ACTOR, personal_data=["name", "email"])
        entry = entries(account.id, limit=1)[0]
    assert entry.action == "integration.data_sent"
    assert entry.changes == {"job": "ai.chat", "data": ["email", "name"]}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [Message(role="user", text=" ")]}, "messages"),
        ({"messages": [HELLO, Message(role="assistant", text="I")]}, "messages"),
        ({"messages": [HELLO, Message(role="tool", answers="x")]}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 3.0}, "temperature"),
        ({"stop": [""]}, "stop"),
        ({"tools": [Tool(name="a b", description="")]}, "tools"),
        ({"tool_choice": "weather"}, "tool_choice"),
    ],
)
def test_bad_input_names_the_field_and_asks_nobody(
    account: Account, model: Model, options: dict[str, Any], field: str
) -> None:
    with tenant(account), pytest.raises(ValidationError) as failure:
        ai.chat(**{"messages": [HELLO], "actor": ACTOR, **options})
    assert list(failure.value.message_dict) == [field]
    assert model.asked == []
    assert events(account) == {}


def test_a_server_without_a_usual_model_must_be_told_one(transactional_db: Any, model: Model) -> None:
    account = make_account()
    connected(account, "openai_compatible")
    with tenant(account), pytest.raises(ValidationError) as failure:
        ai.chat([HELLO], actor=ACTOR)
    assert list(failure.value.message_dict) == ["model"]


def test_viewers_ask_nothing_and_without_a_connection_it_says_what_to_do(account: Account, model: Model) -> None:
    viewer = Actor("user", None, "viewer@mail.example", Role.VIEWER)
    with tenant(account), pytest.raises(PermissionDenied):
        ai.chat([HELLO], actor=viewer)
    with tenant(make_account()), pytest.raises(NotConfigured):
        ai.chat([HELLO], actor=ACTOR)


def vectors(asked: Any) -> list[Any]:
    texts = asked.body["input"] if "input" in asked.body else asked.body["requests"]
    rows = [{"index": number, "embedding": [float(len(str(text))), 0.5]} for number, text in enumerate(texts)]
    if "input" in asked.body:
        return [Refusal(200, {"data": rows[::-1], "model": "m", "usage": {"prompt_tokens": 7}})]
    return [Refusal(200, {"embeddings": [{"values": row["embedding"]} for row in rows]})]


def test_texts_become_vectors_in_their_order_in_as_many_calls_as_needed(
    account: Account, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.integrations.language_models.openai_protocol.OpenAIProtocolClient.texts_per_call", 2)
    model.script = vectors
    with tenant(account):
        got = ai.embed(["a", "bb", "ccc", "dddd", "eeeee"], actor=ACTOR, dimensions=2)
    assert [vector[0] for vector in got.vectors] == [1, 2, 3, 4, 5]
    assert (got.dimensions, got.usage.input, len(model.asked)) == (2, 21, 3)
    assert {asked.body["dimensions"] for asked in model.asked} == {2}
    assert got.cost == Decimal(21) * Decimal("0.02") / 1_000_000
    assert events(account)["input_tokens"].item == "openai/text-embedding-3-small"


def test_vectors_come_from_the_first_connection_that_makes_them(transactional_db: Any, model: Model) -> None:
    """Anthropic makes none."""
    account = make_account()
    connected(account, "anthropic")
    with tenant(account), pytest.raises(NotConfigured):
        ai.embed(["a"], actor=ACTOR)
    connected(account, "google_ai")
    model.script = vectors
    with tenant(account):
        got = ai.embed(["a", "b"], actor=ACTOR)
    assert len(got.vectors) == 2
    assert got.usage.estimated
    assert model.asked[0].path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"


def test_batches_that_were_paid_count_although_a_later_one_failed(
    account: Account, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.integrations.language_models.openai_protocol.OpenAIProtocolClient.texts_per_call", 1)
    model.script = lambda asked: vectors(asked) if len(model.asked) == 1 else [Refusal(400, {"error": "no"})]
    with tenant(account), pytest.raises(OutboundError):
        ai.embed(["a", "b"], actor=ACTOR)
    rows = events(account)
    assert rows["input_tokens"].quantity == 7
    assert not rows["calls"].ok


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": [{"index": 0, "embedding": ["x"]}]}])
def test_an_answer_without_vectors_is_no_success(account: Account, model: Model, body: Any) -> None:
    model.says(Refusal(200, body))
    with tenant(account), pytest.raises(OutboundError):
        ai.embed(["a"], actor=ACTOR)
