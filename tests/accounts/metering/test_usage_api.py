"""Usage, costs and limits through the API; and keys that have spent what they may."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.metering import LimitReached, Line, metered, reserve
from apps.accounts.models import APIKey, Limit
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import AuditEntry, Contact
from tests.accounts.metering.conftest import CALL, OPERATOR, limit, price, use
from tests.factories import Cast, make_api_key

pytestmark = [pytest.mark.django_db, pytest.mark.covers("X-03")]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = Line("input_tokens", 1000, "anthropic/claude")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class Caller:
    """An API key that calls."""

    def __init__(self, cast: Cast, role: Role = Role.OWNER, **values: Any) -> None:
        self.key = make_api_key(cast.account, role, **values)
        with tenant(cast.account):
            self.row = APIKey.objects.get(key_id=self.key.split("_")[1])
        self.actor = Actor.key(self.row)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return Client().generic(
            method,
            f"/api/v1/{path}",
            __import__("json").dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )


@pytest.fixture
def api(cast: Cast) -> Caller:
    return Caller(cast)


def test_usage_is_summed_up_by_day_with_what_nobody_knows_beside(api: Caller, cast: Cast, clock: Any) -> None:
    price("input_tokens", "anthropic/*", "3", per=1_000_000)
    use(cast.account, CALL, TOKENS)
    use(cast.account, CALL, ok=False, ms=300)
    clock.shift(timedelta(days=-1))
    use(cast.account, CALL, Line("input_tokens", 5, "nobody/knows"))
    use(cast.stranger_account, CALL, TOKENS)
    clock.move_to(NOW)
    answer = api("GET", "account/usage").json()
    assert (answer["from"], answer["to"], answer["group"], answer["currency"]) == (
        "2026-11-01", "2026-11-21", "day", "USD",
    )  # fmt: skip
    assert answer["totals"]["cost"] == "0.003"
    assert answer["totals"]["unpriced"] == 1
    earlier, today = answer["results"]
    assert (earlier["key"], earlier["cost"], earlier["unpriced"]) == ("2026-11-20", None, 1)
    assert (today["key"], today["calls"], today["errors"], today["average_ms"]) == ("2026-11-21", 2, 1, 200)
    assert today["quantities"] == [
        {"unit": "calls", "quantity": "2"},
        {"unit": "input_tokens", "quantity": "1000"},
    ]


def test_costs_are_summed_up_by_source_member_and_key(api: Caller, cast: Cast) -> None:
    price("searches", "zerodb", "0.01")
    search = Line("searches", 1, "zerodb")
    bob = Actor("user", cast.bob.id, cast.bob.email, Role.MEMBER, cast.bob.id)
    use(cast.account, search, source="api", actor=api.actor)
    use(cast.account, search, search, source="chat", actor=bob)
    by_source = api("GET", "account/costs?group=source").json()
    assert [(one["key"], one["label"], one["cost"]) for one in by_source["results"]] == [
        ("chat", "Chat", "0.02"),
        ("api", "API", "0.01"),
    ]
    assert (by_source["total"], by_source["unpriced"]) == ("0.03", 0)
    by_member = api("GET", "account/costs?group=member").json()["results"]
    assert {one["key"]: one["cost"] for one in by_member} == {str(cast.bob.id): "0.02", str(cast.alice.id): "0.01"}
    by_key = api("GET", "account/costs?group=key").json()["results"]
    assert [(one["key"], one["label"]) for one in by_key] == [(None, "No API key"), (str(api.row.id), api.row.name)]


def test_it_comes_as_csv_that_no_spreadsheet_runs(api: Caller, cast: Cast) -> None:
    use(cast.account, CALL, source="=cmd()")
    answer = api("GET", "account/usage?group=source&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["source"], row["calls"], row["cost"], row["currency"]) for row in rows] == [
        ("'=cmd()", "1", "0", "USD")
    ]


def test_each_column_of_the_csv_has_a_name_of_its_own(api: Caller, cast: Cast) -> None:
    use(cast.account, Line("calls", 3, "zerodb"), Line("searches", 2, "zerodb"))
    text = api("GET", "account/usage?group=source&format=csv").content.decode()
    columns = next(csv.reader(io.StringIO(text)))
    assert len(columns) == len(set(columns))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["calls"], row["quantity_calls"], row["quantity_searches"]) == ("1", "3", "2")


def test_of_very_many_the_dearest_come_first_and_the_totals_are_of_all(
    api: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.accounts.metering.selectors.MOST", 2)
    monkeypatch.setattr("apps.accounts.api.usage.MOST", 2)
    price("searches", "zerodb", "0.01")
    for number in range(1, 5):
        use(cast.account, *[Line("searches", 1, "zerodb")] * number, subject=uuid7())
    answer = api("GET", "account/costs?group=subject").json()
    assert [one["cost"] for one in answer["results"]] == ["0.04", "0.03"]
    assert answer["total"] == "0.1"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-22&to=2026-11-21", "from"),
        ("from=2024-01-01", "from"),
        ("from=yesterday", "from"),
        ("group=colour", "group"),
        ("colour=red", "colour"),
    ],
)
def test_questions_that_make_no_sense_are_refused(api: Caller, query: str, field: str) -> None:
    answer = api("GET", f"account/costs?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# --- limits


def test_a_limit_is_set_read_changed_and_removed_and_the_trail_says_so(api: Caller, cast: Cast) -> None:
    use(cast.account, CALL, CALL)
    body = {"measure": "quantity", "unit": "calls", "period": "day", "amount": "10"}
    made = api("POST", "limits", body)
    assert made.status_code == 201
    row = made.json()
    assert (row["used"], row["reserved"], row["amount"], row["resets_at"]) == ("2", "0", "10", "2026-11-22T00:00:00Z")
    assert (row["set_by"], row["changeable"], row["scope"]) == ("tenant", True, "account")
    where = f"limits/{row['id']}"
    assert made.headers["Location"] == f"/api/v1/{where}"
    assert api("PATCH", where, {"amount": "12"}).json()["amount"] == "12"
    assert [one["id"] for one in api("GET", "limits").json()["results"]] == [row["id"]]
    assert api("DELETE", where).status_code == 204
    assert api("GET", where).status_code == 404
    with tenant(cast.account):
        actions = AuditEntry.objects.filter(entity_type="limit").order_by("seq").values_list("action", flat=True)
        assert list(actions) == ["limit.set", "limit.changed", "limit.removed"]


def test_setting_the_same_limit_again_replaces_it(api: Caller) -> None:
    first = api("POST", "limits", {"amount": "10"}).json()
    second = api("POST", "limits", {"amount": "20"}).json()
    assert (first["id"], second["amount"]) == (second["id"], "20")


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"amount": "required"}),
        ({"amount": "-1"}, {"amount": "min_value"}),
        ({"amount": "5", "scope": "member"}, {"user_id": "required"}),
        ({"amount": "5", "user_id": "0190a000-0000-7000-8000-000000000000"}, {"user_id": "not_for_scope"}),
        (
            {"amount": "5", "scope": "member", "user_id": "0190a000-0000-7000-8000-000000000000"},
            {"user_id": "not_found"},
        ),
        (
            {"amount": "5", "scope": "api_key", "api_key_id": "0190a000-0000-7000-8000-000000000000"},
            {"api_key_id": "not_found"},
        ),
        ({"amount": "5", "measure": "quantity"}, {"unit": "required"}),
        ({"amount": "5", "unit": "calls"}, {"unit": "not_for_measure"}),
        ({"amount": "5", "period": "fortnight"}, {"period": "invalid_choice"}),
    ],
)
def test_limits_that_make_no_sense_are_refused(api: Caller, body: Any, faults: dict[str, str]) -> None:
    answer = api("POST", "limits", body)
    assert answer.status_code == 400
    got = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert faults.items() <= got.items()


def test_what_the_operator_limits_an_account_can_not_change(api: Caller, cast: Cast) -> None:
    of = limit(cast.account, 5)
    assert api("GET", f"limits/{of.id}").json()["changeable"] is False
    assert api("PATCH", f"limits/{of.id}", {"amount": "500"}).status_code == 403
    assert api("DELETE", f"limits/{of.id}").status_code == 403
    beside = api("POST", "limits", {"measure": "quantity", "unit": "calls", "period": "hour", "amount": "500"})
    assert beside.json()["id"] != str(of.id)


# --- keys


@pytest.mark.covers("A-09")
def test_a_key_over_its_cost_of_the_month_is_refused_and_nothing_is_done(cast: Cast, clock: Any) -> None:
    price("searches", "zerodb", "0.5")
    key = Caller(cast, Role.MEMBER, cost_limit_per_month=Decimal(1))
    search = Line("searches", 1, "zerodb")
    assert key("GET", "contacts").status_code == 200
    use(cast.account, search, search, source="api", actor=key.actor)
    answer = key("POST", "contacts", {"name": "Ann"})
    assert answer.status_code == 402
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == "cost_limit_reached"
    assert problem["limit"]["scope"] == "api_key"
    assert (problem["limit"]["amount"], problem["used"]) == ("1", "1")
    assert problem["resets_at"] == "2026-12-01T00:00:00Z"
    with tenant(cast.account):
        assert not Contact.objects.exists()
    with pytest.raises(LimitReached):
        reserve("chat", search, account=cast.account, actor=key.actor)
    assert Caller(cast)("GET", "contacts").status_code == 200
    clock.move_to(datetime(2026, 12, 1, tzinfo=UTC))
    assert key("GET", "contacts").status_code == 200


@pytest.mark.covers("A-09")
def test_the_limit_of_a_key_follows_its_setting(api: Caller, cast: Cast) -> None:
    made = api("POST", "api-keys", {"name": "new", "cost_limit_per_month": "2"}).json()
    with tenant(cast.account):
        of = Limit.objects.get()
    assert (of.api_key_id.hex, of.amount, of.of_key) == (made["id"].replace("-", ""), 2, True)
    assert api("PATCH", f"limits/{of.id}", {"amount": "9"}).status_code == 403
    api("PATCH", f"api-keys/{made['id']}", {"cost_limit_per_month": "3"})
    with tenant(cast.account):
        assert Limit.objects.get().amount == 3
    api("PATCH", f"api-keys/{made['id']}", {"cost_limit_per_month": None})
    with tenant(cast.account):
        assert not Limit.objects.exists()


def test_a_refused_quantity_says_when_to_come_back(api: Caller, cast: Cast, monkeypatch: Any) -> None:
    from apps.accounts.api import account as resource

    limit(cast.account, 0)

    def get(self: Any, request: Any) -> Any:
        with metered("api", CALL):
            raise AssertionError("not reached")

    monkeypatch.setattr(resource.OwnAccountView, "get", get)
    answer = api("GET", "account")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3600"
    assert answer.json()["code"] == "limit_reached"


def test_a_cost_nobody_knows_is_refused_as_such(api: Caller, cast: Cast, monkeypatch: Any) -> None:
    from apps.accounts.api import account as resource

    limit(cast.account, 5, measure="cost")

    def get(self: Any, request: Any) -> Any:
        with metered("api", Line("pages", 1, "nobody")):
            raise AssertionError("not reached")

    monkeypatch.setattr(resource.OwnAccountView, "get", get)
    answer = api("GET", "account")
    assert (answer.status_code, answer.json()["code"]) == (402, "price_unknown")
    assert OPERATOR.kind == "system"


def test_use_between_reading_and_writing_a_limit_is_no_conflict(api: Caller, cast: Cast) -> None:
    made = api("POST", "limits", {"amount": "10", "measure": "quantity", "unit": "calls"})
    path = f"limits/{made.json()['id']}"
    known = api("GET", path).headers["ETag"]
    assert api("GET", path, **{"If-None-Match": known}).status_code == 304
    use(cast.account)
    assert api("GET", path, **{"If-None-Match": known}).json()["used"] == "1", "readers see what is used"
    assert api("PATCH", path, {"amount": "20"}, **{"If-Match": known}).status_code == 200
    assert api("PATCH", path, {"amount": "30"}, **{"If-Match": known}).json()["code"] == "precondition_failed"
    assert api("DELETE", path, **{"If-Match": "*"}).status_code == 204
