"""Every service's stream, as it documents it, comes out the same; every error tells what to do about it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from apps.integrations.contracts.ai import Message, TokenUsage, ToolCall
from apps.integrations.language_models import turn as turns
from apps.integrations.outbound.errors import BadAnswer, BadRequest, NoAnswer, OutboundError
from apps.integrations.providers import provider
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    Overloaded,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)
from tests.integrations.language_models.asking import HELLO, KEY, WEATHER, ask, client, request
from tests.stand_ins import language_models as stand_in
from tests.stand_ins.language_models import CUT, Hangup, Model, Pause, Refusal

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")
NAMES = ("anthropic", "openai", "google_ai", "openai_compatible")


def hello(name: str) -> Iterator[bytes]:
    """An answer of two pieces, 25 tokens read and 15 written."""
    if name == "anthropic":
        yield stand_in.anthropic_start()
        yield from stand_in.anthropic_text("I am ", "a model — ✓")
        yield from stand_in.anthropic_end()
    elif name == "google_ai":
        yield stand_in.google_chunk({"text": "I am "}, output=3)
        yield stand_in.google_chunk({"text": "a model — ✓"}, finish="STOP", output=15)
    else:
        yield from stand_in.openai_text("I am ", "a model — ✓")
        yield from stand_in.openai_end()


def beginning(name: str) -> list[bytes]:
    """The first piece of the text, and nothing after it."""
    pieces = list(hello(name))
    cut = next(number for number, piece in enumerate(pieces) if b"I am" in piece)
    return pieces[: cut + 1]


def two_tools(name: str) -> Iterator[bytes]:
    if name == "anthropic":
        yield stand_in.anthropic_start()
        yield from stand_in.anthropic_text("Let me look.")
        yield from stand_in.anthropic_tool("toolu_1", "weather", '{"ci', 'ty": "Köln"}', index=1)
        yield from stand_in.anthropic_tool("toolu_2", "weather", '{"city": "Bonn"}', index=2)
        yield from stand_in.anthropic_end("tool_use")
    elif name == "google_ai":
        calls = [{"functionCall": {"name": "weather", "args": {"city": city}}} for city in ("Köln", "Bonn")]
        yield stand_in.google_chunk({"text": "Let me look."}, output=3)
        yield stand_in.google_chunk(*calls, finish="STOP", output=15)
    else:
        yield from stand_in.openai_text("Let me look.")
        yield from stand_in.openai_tool(0, "call_1", "weather", '{"ci', 'ty": "Köln"}')
        yield from stand_in.openai_tool(1, "call_2", "weather", '{"city": "Bonn"}')
        yield from stand_in.openai_end("tool_calls")


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_comes_in_pieces_with_its_usage(model: Model, name: str) -> None:
    model.says(*hello(name))
    heard = ask(name)
    assert [part.text for part in heard.parts] == ["I am ", "a model — ✓"]
    assert (heard.result.text, heard.result.finish) == ("I am a model — ✓", "stop")
    assert heard.result.usage == TokenUsage(input=25, output=15)
    assert heard.result.model


@pytest.mark.parametrize("name", NAMES)
def test_what_the_request_says_reaches_the_service(model: Model, name: str) -> None:
    model.says(*hello(name))
    ask(name, request(system="Be brief.", max_tokens=77, temperature=0.5, stop=("END",), tools=(WEATHER,)))
    (asked,) = model.asked
    sent = orjson.dumps(asked.body).decode()
    for expected in ("Be brief.", "77", "0.5", "END", "weather", "The weather of a city.", "Hello, who are you?"):
        assert expected in sent, sent


@pytest.mark.parametrize("name", NAMES)
def test_the_key_goes_out_once_and_nothing_of_the_library_does(model: Model, name: str) -> None:
    model.says(*hello(name))
    ask(name)
    (asked,) = model.asked
    assert [header for header, value in asked.headers.items() if KEY in value] == [
        {"anthropic": "x-api-key", "google_ai": "x-goog-api-key"}.get(name, "authorization")
    ]
    assert asked.headers["user-agent"] == "Strongroom"
    assert not [header for header in asked.headers if "stainless" in header or "api-client" in header]
    assert KEY not in asked.path


@pytest.mark.parametrize("name", NAMES)
def test_the_operators_environment_adds_nothing(model: Model, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries read keys, organizations and addresses from it, and would send every conversation to a third place."""
    for variable in (
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "ANTHROPIC_AUTH_TOKEN",
        "GOOGLE_API_KEY",
        "LANGSMITH_API_KEY",
    ):
        monkeypatch.setenv(variable, "the-operators-own")
    for variable in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "LANGSMITH_ENDPOINT", "HTTP_PROXY"):
        monkeypatch.setenv(variable, "http://169.254.169.254/")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    model.says(*hello(name))
    assert ask(name).result.text
    (asked,) = model.asked
    assert "the-operators-own" not in str(asked)


@pytest.mark.parametrize("name", NAMES)
def test_tool_calls_come_whole_and_their_results_go_back(model: Model, name: str) -> None:
    model.says(*two_tools(name))
    first = ask(name, request(tools=(WEATHER,)))
    result = first.result
    assert (result.text, result.finish) == ("Let me look.", "tool_calls")
    assert [(call.name, call.arguments) for call in result.tool_calls] == [
        ("weather", {"city": "Köln"}),
        ("weather", {"city": "Bonn"}),
    ]
    assert len({call.id for call in result.tool_calls}) == 2
    pieces = [piece for part in first.parts for piece in part.tool_calls]
    assert {piece.index for piece in pieces if piece.name} == {piece.index for piece in pieces}

    model.says(*hello(name))
    answers = [Message(role="tool", text=f"Rain {call.id}", answers=call.id) for call in result.tool_calls]
    ask(name, request(messages=(HELLO, result.message, *answers), tools=(WEATHER,)))
    sent = orjson.dumps(model.asked[-1].body).decode()
    assert all(f"Rain {call.id}" in sent for call in result.tool_calls)
    assert "Köln" in sent


def test_arguments_that_are_no_json_are_told_apart(model: Model) -> None:
    model.says(*stand_in.openai_tool(0, "call_1", "weather", '{"city": "Kö'), *stand_in.openai_end("length"))
    (call,) = ask("openai", request(tools=(WEATHER,))).result.tool_calls
    assert call == ToolCall(id="call_1", name="weather", faulty='{"city": "Kö')


@pytest.mark.parametrize(
    ("name", "choice", "sent"),
    [
        ("anthropic", "any", {"type": "any"}),
        ("anthropic", "none", {"type": "none"}),
        ("anthropic", "weather", {"type": "tool", "name": "weather"}),
        ("openai", "any", "required"),
        ("openai", "none", "none"),
        ("openai", "weather", {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_which_tool_must_be_called_can_be_said(model: Model, name: str, choice: str, sent: Any) -> None:
    model.says(*hello(name))
    ask(name, request(tools=(WEATHER,), tool_choice=choice))
    assert model.asked[0].body["tool_choice"] == sent


@pytest.mark.parametrize("choice", ["any", "none", "weather"])
def test_which_tool_must_be_called_can_be_said_to_gemini(model: Model, choice: str) -> None:
    model.says(*hello("google_ai"))
    ask("google_ai", request(tools=(WEATHER,), tool_choice=choice))
    config = model.asked[0].body["toolConfig"]["functionCallingConfig"]
    assert config["mode"] == {"none": "NONE"}.get(choice, "ANY")
    assert config.get("allowedFunctionNames", ["weather"]) == ["weather"]


@pytest.mark.parametrize(
    ("name", "pieces", "finish"),
    [
        ("anthropic", lambda: stand_in.anthropic_end("max_tokens"), "length"),
        ("anthropic", lambda: stand_in.anthropic_end("refusal"), "filtered"),
        ("openai", lambda: stand_in.openai_end("length"), "length"),
        ("openai", lambda: stand_in.openai_end("content_filter"), "filtered"),
        ("google_ai", lambda: [stand_in.google_chunk(finish="MAX_TOKENS")], "length"),
        ("google_ai", lambda: [stand_in.google_chunk(finish="SAFETY")], "filtered"),
    ],
)
def test_why_it_ended_is_told(model: Model, name: str, pieces: Callable[[], Any], finish: str) -> None:
    start = [stand_in.anthropic_start()] if name == "anthropic" else []
    model.says(*start, *pieces())
    assert ask(name).result.finish == finish


def test_tokens_from_the_cache_are_counted_apart(model: Model) -> None:
    model.says(*stand_in.openai_text("Hi"), *stand_in.openai_end(prompt=2000, cached=1920))
    assert ask("openai").result.usage == TokenUsage(input=2000, output=15, cached=1920)


@pytest.mark.parametrize(
    ("name", "asked_for", "sent"),
    [
        ("anthropic", "claude-opus-4-6", True),
        ("anthropic", "claude-opus-4-7", False),
        ("anthropic", "claude-opus-4-20990101", True),
        ("anthropic", "claude-opus-5", False),
        ("anthropic", "claude-sonnet-4-6", True),
        ("anthropic", "claude-sonnet-5-5-20260928", False),
        ("anthropic", "claude-haiku-4-5", True),
        ("anthropic", "claude-haiku-5-5", False),
        ("anthropic", "claude-fable-5-2", False),
        ("openai", "gpt-4.1", True),
        ("openai", "gpt-6-luna", False),
        ("openai", "gpt-6.1-terra", False),
        ("openai", "ft:gpt-10:acme", False),
        ("openai_compatible", "gpt-6.1-terra", True),
    ],
)
def test_a_temperature_goes_only_to_models_that_take_one(model: Model, name: str, asked_for: str, sent: bool) -> None:
    model.says(*hello(name))
    ask(name, request(model=asked_for, temperature=0.5))
    assert ("temperature" in model.asked[0].body) is sent


@pytest.mark.parametrize(
    ("asked_for", "forced"),
    [
        ("claude-sonnet-4-6", True),
        ("claude-sonnet-5", True),
        ("claude-sonnet-5-5", False),
        ("claude-opus-5", True),
        ("claude-opus-5-5", False),
        ("claude-haiku-5-5", True),
        ("claude-fable-5", True),
        ("claude-fable-5-2", False),
    ],
)
@pytest.mark.parametrize("choice", ["any", "weather"])
def test_models_that_refuse_to_be_forced_are_left_to_choose(
    model: Model, asked_for: str, forced: bool, choice: str
) -> None:
    model.says(*hello("anthropic"))
    ask("anthropic", request(model=asked_for, tools=(WEATHER,), tool_choice=choice))
    told = {"type": "any"} if choice == "any" else {"type": "tool", "name": "weather"}
    assert model.asked[0].body["tool_choice"] == (told if forced else {"type": "auto"})


@pytest.mark.parametrize(
    ("asked_for", "said_there", "limit"),
    [
        ("claude-sonnet-4-6", {}, 4096),
        ("claude-opus-4-7", {}, 4096),
        ("claude-sonnet-5-5", {}, 16_384),
        ("claude-haiku-5-5", {"max_tokens": 1000}, 13_288),
        ("claude-opus-5-5", {"max_tokens": 128_000}, 128_000),
    ],
)
def test_models_that_think_first_get_room_for_it(
    model: Model, asked_for: str, said_there: dict[str, Any], limit: int
) -> None:
    for said, sent in ((None, limit), (77, 77)):
        model.says(*hello("anthropic"))
        with client("anthropic", **{"max_tokens": 4096, **said_there}) as service:
            list(service.chat(request(model=asked_for, max_tokens=said)))
        assert model.asked[-1].body["max_tokens"] == sent


def test_gpt_6_is_given_tools_by_the_other_protocol_and_keeps_no_conversation(model: Model) -> None:
    message, calls = stand_in.openai_message("Let me look."), ("Köln", "Bonn")
    output = (stand_in.openai_call(f"call_{city}", "weather", f'{{"city": "{city}"}}') for city in calls)
    model.says(*stand_in.openai_response(message, *output))
    asked_for = request(model="gpt-6.1-terra", temperature=0.5, max_tokens=77, tools=(WEATHER,), tool_choice="any")
    result = ask("openai", asked_for).result
    assert (result.text, result.finish) == ("Let me look.", "tool_calls")
    assert [(call.id, call.arguments) for call in result.tool_calls] == [
        ("call_Köln", {"city": "Köln"}),
        ("call_Bonn", {"city": "Bonn"}),
    ]
    assert result.usage == TokenUsage(input=25, output=15)
    (asked,) = model.asked
    assert asked.path == "/v1/responses"
    assert (asked.body["store"], asked.body["max_output_tokens"]) == (False, 77)
    assert asked.body["tool_choice"] == "required"
    assert "temperature" not in asked.body

    model.says(*stand_in.openai_response(stand_in.openai_message("Rain.")))
    answers = [Message(role="tool", text="Rain", answers=call.id) for call in result.tool_calls]
    messages = (HELLO, result.message, *answers)
    assert ask("openai", request(model="gpt-6.1-terra", messages=messages, tools=(WEATHER,))).result.text == "Rain."
    sent = [item["call_id"] for item in model.asked[-1].body["input"] if item.get("type") == "function_call_output"]
    assert sent == ["call_Köln", "call_Bonn"]


RETIRING = ("claude-sonnet-4-5", "gemini-2.5-flash", "gemini-2.5-pro", "gpt-5", "gpt-5-mini", "gpt-5-nano")


@pytest.mark.parametrize("name", ["anthropic", "openai", "google_ai"])
def test_the_usual_model_is_on_offer_and_has_a_price_and_none_is_about_to_end(name: str) -> None:
    definition = provider(name)
    usual = definition.defaults["default_model"]
    (field,) = (field for field in definition.settings if field.name == "default_model")
    offered = {option.value for option in field.options}
    assert usual in offered
    assert {price.unit for price in definition.prices if price.product == usual} >= {"input_tokens", "output_tokens"}
    assert not offered & set(RETIRING)
    assert not [model for model in offered if model.startswith(("gpt-4o", "gpt-4.1"))]


GOOGLE_DAY = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
            }
        ],
    }
}
GOOGLE_MINUTE = {
    "error": {
        "code": 429,
        "message": "Slow down.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}],
    }
}


def openai_refusal(code: str | None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": "No.", "type": kind, "param": None, "code": code}}


def anthropic_refusal(kind: str, words: str = "No.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": words}}


def google_refusal(code: int, status: str, reason: str = "") -> dict[str, Any]:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return {"error": {"code": code, "message": "No.", "status": status, "details": details}}


@pytest.mark.parametrize(
    ("name", "status", "body", "kind"),
    [
        ("anthropic", 400, anthropic_refusal("invalid_request_error"), Refused),
        ("anthropic", 400, anthropic_refusal("invalid_request_error", "Your credit balance is too low."), QuotaUsedUp),
        ("anthropic", 401, anthropic_refusal("authentication_error"), CredentialRefused),
        ("anthropic", 402, anthropic_refusal("billing_error"), QuotaUsedUp),
        ("anthropic", 403, anthropic_refusal("permission_error"), NotPermitted),
        ("anthropic", 404, anthropic_refusal("not_found_error"), Missing),
        ("anthropic", 413, anthropic_refusal("request_too_large"), Refused),
        ("anthropic", 429, anthropic_refusal("rate_limit_error"), RateLimited),
        ("anthropic", 500, anthropic_refusal("api_error"), Unavailable),
        ("anthropic", 504, anthropic_refusal("timeout_error"), Unavailable),
        ("anthropic", 529, anthropic_refusal("overloaded_error"), Overloaded),
        ("openai", 401, openai_refusal("invalid_api_key"), CredentialRefused),
        ("openai", 403, openai_refusal("unsupported_country_region_territory"), NotPermitted),
        ("openai", 404, openai_refusal("model_not_found"), Missing),
        ("openai", 400, openai_refusal("context_length_exceeded"), Refused),
        ("openai", 429, openai_refusal("insufficient_quota", "insufficient_quota"), QuotaUsedUp),
        ("openai", 429, openai_refusal("rate_limit_exceeded", "requests"), RateLimited),
        ("openai", 500, openai_refusal(None, "server_error"), Unavailable),
        ("openai", 503, openai_refusal("slow_down"), Overloaded),
        ("openai_compatible", 402, {"error": {"code": 402, "message": "Insufficient credits"}}, QuotaUsedUp),
        ("openai_compatible", 404, {"error": "model 'llama' not found"}, Missing),
        ("openai_compatible", 503, {"error": {"code": 503, "message": "Loading model"}}, Unavailable),
        ("openai_compatible", 400, {"object": "error", "message": "bad", "type": "BadRequestError"}, Refused),
        ("google_ai", 400, google_refusal(400, "INVALID_ARGUMENT", "API_KEY_INVALID"), CredentialRefused),
        ("google_ai", 400, google_refusal(400, "INVALID_ARGUMENT"), Refused),
        ("google_ai", 400, google_refusal(400, "FAILED_PRECONDITION"), NotPermitted),
        ("google_ai", 403, google_refusal(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), NotPermitted),
        ("google_ai", 404, google_refusal(404, "NOT_FOUND"), Missing),
        ("google_ai", 429, GOOGLE_MINUTE, RateLimited),
        ("google_ai", 429, [GOOGLE_DAY], QuotaUsedUp),
        ("google_ai", 500, google_refusal(500, "INTERNAL"), Unavailable),
        ("google_ai", 503, google_refusal(503, "UNAVAILABLE"), Overloaded),
    ],
)
def test_documented_errors_tell_what_to_do(model: Model, name: str, status: int, body: Any, kind: type) -> None:
    model.says(Refusal(status, body))
    with pytest.raises(OutboundError) as failure:
        ask(name)
    assert type(failure.value) is kind
    assert len(model.asked) == 1


def test_gemini_says_in_the_body_how_long_to_wait(model: Model) -> None:
    model.says(Refusal(429, GOOGLE_MINUTE))
    with pytest.raises(RateLimited) as failure:
        ask("google_ai")
    assert failure.value.retry_after == 34.5


@pytest.mark.parametrize(
    ("name", "error", "kind"),
    [
        ("anthropic", stand_in.anthropic_error("overloaded_error", "Overloaded"), Overloaded),
        ("anthropic", stand_in.anthropic_error("api_error", "Internal"), Unavailable),
        ("openai", stand_in.event({"error": {"message": "Sorry", "type": "server_error", "code": None}}), Unavailable),
        ("openai", stand_in.event(openai_refusal("rate_limit_exceeded", "tokens")), RateLimited),
        ("openai_compatible", stand_in.event({"error": {"code": 402, "message": "No credits"}}), QuotaUsedUp),
        ("google_ai", stand_in.event(google_refusal(503, "UNAVAILABLE")), Overloaded),
    ],
)
def test_an_error_in_the_middle_of_an_answer_is_no_end(model: Model, name: str, error: bytes, kind: type) -> None:
    model.says(*beginning(name), error)
    with client(name) as service:
        turn = service.chat(request())
        assert next(turn).text == "I am "
        with pytest.raises(OutboundError) as failure:
            list(turn)
    assert type(failure.value) is kind
    assert turn.result.text == "I am "
    assert turn.result.finish is None
    assert turn.result.usage.estimated == (name != "google_ai")  # Gemini tells with every piece


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_breaks_is_no_end(model: Model, name: str) -> None:
    model.says(*beginning(name), CUT)
    with pytest.raises(NoAnswer):
        ask(name)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_without_its_end_is_no_answer(model: Model, name: str) -> None:
    model.says(*beginning(name))
    with pytest.raises(NoAnswer, match="before its answer was complete"):
        ask(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_deadline_holds_in_the_middle_of_a_drip(model: Model, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(_: Any) -> Iterator[Any]:
        yield from beginning(name)
        for _ in range(2000):
            yield Pause(0.05)
            yield stand_in.google_chunk({"text": "."}) if name == "google_ai" else b": still here\n\n"

    ask_once(model, name)  # imports are done by now
    monkeypatch.setattr(turns, "MAXIMUM_SECONDS", 0.4)
    model.script = drip
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        ask(name)
    assert 0.3 < time.monotonic() - began < 30
    assert model.gone.wait(60)


def ask_once(model: Model, name: str) -> None:
    model.says(*hello(name))
    ask(name)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_given_up_ends_the_connection(model: Model, name: str) -> None:
    model.says(*beginning(name), Pause(5))
    with client(name) as service:
        turn = service.chat(request())
        next(turn)
        turn.close()
        assert model.gone.wait(60)
        assert list(turn) == []
    assert turn.result.usage.estimated == (name != "google_ai")  # Gemini tells with every piece
    assert turn.result.usage.input > 0
    assert turn.result.usage.output > 0


def test_what_anthropic_said_it_read_counts_although_the_answer_was_given_up(model: Model) -> None:
    model.says(*beginning("anthropic"), Pause(5))
    with client("anthropic") as service:
        turn = service.chat(request())
        next(turn)
        turn.close()
    assert turn.result.usage == TokenUsage(input=25, output=2, estimated=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_no_stream_is_told(model: Model, name: str) -> None:
    model.says(b"data: {not json\n\n")
    with pytest.raises(OutboundError) as failure:
        ask(name)
    assert isinstance(failure.value, BadAnswer | NoAnswer)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_the_key_is_in_no_error_log_or_object(
    model: Model, name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Even of a service that quotes it back."""
    model.says(Refusal(status, {"error": {"message": f"Bad key {KEY}", "type": KEY}}, {"Location": "http://[::1]/"}))
    with caplog.at_level(logging.DEBUG), client(name) as service:
        turn = service.chat(request())
        with pytest.raises(OutboundError) as failure:
            next(turn)
        told = [repr(failure.value), str(failure.value), repr(turn), repr(service), caplog.text, repr(vars(turn))]
        cause: BaseException | None = failure.value.__cause__ or failure.value
        assert isinstance(cause, OutboundError)
    assert all(KEY not in text for text in told), told
    assert len(model.asked) == 1


def test_a_models_name_stays_in_its_place_of_the_path() -> None:
    for name in ("../../v1/files", "a?key=x", "a:b", "..", "a/b"):
        with pytest.raises(BadRequest):
            ask("google_ai", request(model=name))


def test_a_kept_connection_that_the_service_had_ended_is_made_anew(model: Model) -> None:
    answers = iter([(Hangup(),), tuple(hello("openai"))])
    model.script = lambda _: next(answers)
    assert ask("openai").result.text == "I am a model — ✓"
    assert len(model.asked) == 2


def test_a_packed_answer_is_not_unpacked(model: Model) -> None:
    """A few bytes could fill the memory."""
    model.says(Refusal(200, b"\x1f\x8b", {"Content-Encoding": "gzip", "Content-Type": "text/event-stream"}))
    with pytest.raises(BadAnswer):
        ask("openai")
