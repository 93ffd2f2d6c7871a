"""Log lines carry what they are about, and no secret."""

from __future__ import annotations

import json
import logging

import pytest

from apps.accounts.actors import RequestContext, in_request
from config.logging import JSONFormatter, TextFormatter, redact

SECRET = "7Vq3xKp9wTz-LmYb2NcRd8"


@pytest.mark.covers("O-03")
@pytest.mark.parametrize(
    "line",
    [
        f"connecting to postgres://strongroom_app:{SECRET}@127.0.0.1/strongroom",
        f"redis://:{SECRET}@127.0.0.1:6379/0 is away",
        f"sent Authorization: Bearer {SECRET}",
        f"the key sr_0192f3_{SECRET} was refused",
        f'{{"password": "{SECRET}"}}',
        f"api_key={SECRET}&x=1",
    ],
)
def test_a_secret_is_taken_out(line: str) -> None:
    shown = redact(line)
    assert SECRET not in shown
    assert "••••" in shown


@pytest.mark.parametrize(
    "line", ["the token refreshed itself", "password reset sent", "see https://example.com/a:b@c", "basic knowledge"]
)
def test_words_that_are_no_secret_stay(line: str) -> None:
    assert redact(line) == line


def _record(message: str, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord("apps.vault", logging.WARNING, __file__, 1, message, (), info)


@pytest.mark.covers("O-03")
def test_production_lines_are_json_with_the_request() -> None:
    with in_request(RequestContext(request_id="req-12345678")):
        line = JSONFormatter().format(_record("two\nlines", ValueError(f"password={SECRET}")))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("WARNING", "apps.vault", "two\nlines")
    assert entry["request_id"] == "req-12345678"
    assert "ValueError" in entry["exception"]
    assert SECRET not in line


def test_local_lines_are_text_with_the_request() -> None:
    with in_request(RequestContext(request_id="req-12345678")):
        line = TextFormatter("%(levelname)s %(name)s: %(message)s").format(_record("hello"))
    assert line == "WARNING apps.vault: hello [request_id=req-12345678]"
    assert TextFormatter("%(message)s").format(_record("hello")) == "hello"
