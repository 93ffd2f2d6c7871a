"""Canned responses through the API."""

from __future__ import annotations

import pytest

from apps.accounts.roles import Role
from tests.api_client import by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("C-13")]


def test_they_are_found_by_short_code_and_by_what_they_say(cast: Cast) -> None:
    api = by_key(cast.account, Role.MEMBER)
    for code, content in (
        ("refund", "Your money is on its way."),
        ("late", "Sorry, your REFUND took long."),
        ("hi", "Hello!"),
    ):
        assert api.post("canned-responses", {"short_code": code, "content": content}).status == 201

    def found(query: str) -> list[str]:
        return [row["short_code"] for row in api.get(f"canned-responses?{query}").json["results"]]

    assert found("") == ["hi", "late", "refund"]
    assert found("q=Refund") == ["late", "refund"]
    assert found("q=money%20is") == ["refund"]
    assert found("short_code=/HI") == ["hi"]
    assert found("q=nothing") == found("short_code=h") == found("short_code=hi&q=money") == []
    first = api.get("canned-responses?q=refund&limit=1").json
    assert [row["short_code"] for row in first["results"]] == ["late"]
    assert found(f"q=refund&limit=1&cursor={first['next']}") == ["refund"]
