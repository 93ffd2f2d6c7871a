"""Values from the environment have a type, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import database, environment


def test_a_value_comes_from_the_variable_or_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(path))
    assert environment.text("THING") == "from a file"
    monkeypatch.setenv("THING", "too")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        environment.text("THING")


def test_a_missing_value_and_an_unreadable_file_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="Set THING"):
        environment.text("THING")
    monkeypatch.setenv("THING_FILE", "/nowhere")
    with pytest.raises(ImproperlyConfigured, match="THING_FILE"):
        environment.text("THING")


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("OFF", False)])
def test_switches(monkeypatch: pytest.MonkeyPatch, word: str, meant: bool) -> None:
    monkeypatch.setenv("THING", word)
    assert environment.boolean("THING", default=not meant) is meant


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: environment.boolean("THING", default=False), "ture"),
        (lambda: environment.integer("THING", 1), "many"),
        (lambda: environment.integer("THING", 5, least=3), "2"),
        (lambda: environment.choice("THING", "a", ("a", "b")), "c"),
        (lambda: environment.email("THING"), "imap://mail.example"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, read, value: str) -> None:
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match="THING"):
        read()


def test_a_database_url_may_quote_anything() -> None:
    chosen = database.from_url("postgres://us%40er:p%2Fw%3A@host:5433/name?sslmode=require")
    assert (chosen["USER"], chosen["PASSWORD"], chosen["HOST"], chosen["PORT"]) == ("us@er", "p/w:", "host", "5433")
    assert chosen["OPTIONS"] == {"sslmode": "require"}


def test_a_mail_server_with_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "smtp://me%40x:p%3Aw@mail.example:465?ssl=1")
    chosen = environment.email("THING")
    assert chosen["EMAIL_HOST_USER"] == "me@x"
    assert (chosen["EMAIL_PORT"], chosen["EMAIL_USE_SSL"], chosen["EMAIL_USE_TLS"]) == (465, True, False)


@pytest.mark.parametrize(
    ("arguments", "role", "owner"),
    [
        (["manage.py", "migrate"], None, True),
        (["manage.py", "sqlmigrate"], None, True),
        (["manage.py", "shell"], None, False),
        (["manage.py", "migrate"], "app", False),
        (["celery"], "owner", True),
    ],
)
def test_commands_on_the_schema_connect_as_its_owner(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], role: str | None, owner: bool
) -> None:
    monkeypatch.delenv("DATABASE_ROLE", raising=False)
    if role:
        monkeypatch.setenv("DATABASE_ROLE", role)
    assert database.wants_owner(arguments) is owner


@pytest.mark.parametrize("value", ["Euro", "€", "", "12 ", "U$D"])
def test_what_is_no_currency_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CURRENCY", value)
    with pytest.raises(ImproperlyConfigured, match="CURRENCY must be the three letters"):
        environment.currency("CURRENCY", "USD")
    monkeypatch.setenv("CURRENCY", "eur")
    assert environment.currency("CURRENCY", "USD") == "EUR"


PATHS = ("/v1/public", "/v1")


@pytest.mark.covers("P-10")
@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v1/public",
        "http://127.0.0.1:8000/zerodb/v1/public",
        "http://localhost/v1",
        "http://[::1]/v1",
    ],
)
def test_a_service_is_reached_by_https_or_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("THING", f"{url}/")
    assert environment.service("THING", PATHS) == url


@pytest.mark.covers("P-10")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.example/v1/public", "must begin with https://: keys and texts would travel to api.example"),
        ("http://10.0.0.8/v1", "would travel to 10.0.0.8"),
        ("api.example/v1", "must be an address that begins with https://"),
        ("https://api.example:x/v1", "must be an address"),
        ("https://key:secret@api.example/v1", "must hold no name and no password"),
        ("https://api.example/v1?key=secret", "take off what begins with"),
        ("https://api.example", "must end with /v1/public or /v1; its path is /"),
        ("https://api.example/v1/public/projects", "its path is /v1/public/projects"),
    ],
)
def test_a_wrong_address_of_a_service_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("THING", url)
    with pytest.raises(ImproperlyConfigured, match=r"^THING ") as refusal:
        environment.service("THING", PATHS)
    assert words in str(refusal.value)
    assert "secret" not in str(refusal.value)
