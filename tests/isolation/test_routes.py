"""Every route of the product, asked by its own account, by another one, by nobody and by lower roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from django.db import connection
from django.utils.html import escape

from apps.accounts.models import Account
from apps.accounts.permission_words import who_may
from apps.accounts.permissions import ACTIONS
from apps.accounts.roles import Role
from apps.accounts.tenancy.registry import owned_columns
from apps.accounts.tenancy.scope import platform
from tests.factories import Cast, make_contact
from tests.isolation.asking import Who, address, ask, bytes_of, made, missing, nobody, of_role, person, program, undone
from tests.isolation.kinds import Asks, Kind, OwnWallRoute, PersonRoute, PlatformRoute, TenantRoute
from tests.isolation.routes import ROUTES, TREES
from tests.isolation.urlconf import METHODS, Route, every_route

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-05", "A-07", "X-11")]

_HOW = (
    "tests/isolation/routes.py does not say what these addresses promise. Add a line for each "
    "(its docstring shows how):\n"
)


def kind_of(route: Route) -> Kind | None:
    if route.shape in ROUTES:
        return ROUTES[route.shape]
    for (prefix, module), kind in TREES.items():
        if route.shape.startswith(prefix) and route.module.startswith(module):
            return kind
    return None


def _each(kind: type, *, with_objects: bool = False) -> Any:
    chosen = [
        pytest.param(shape, found, id=shape)
        for shape, found in ROUTES.items()
        if isinstance(found, kind) and (found.of or not with_objects)
    ]
    return pytest.mark.parametrize(("shape", "route"), chosen)


each_tenant_route = _each(TenantRoute)
each_tenant_route_of_an_object = _each(TenantRoute, with_objects=True)
each_route_of_a_person = _each(PersonRoute)


def test_every_route_is_classified() -> None:
    unknown = [route for route in every_route() if kind_of(route) is None]
    lines = [f'    "{route.shape}": ...,  # {route.module} {route.action}' for route in unknown]
    assert not unknown, _HOW + "\n".join(lines)


def test_every_classified_route_exists() -> None:
    gone = set(ROUTES) - {route.shape for route in every_route()}
    assert not gone, f"tests/isolation/routes.py lists addresses that the product does not have: {sorted(gone)}"


def test_what_has_a_wall_of_its_own_is_tested_elsewhere() -> None:
    for kind in [*ROUTES.values(), *TREES.values()]:
        if isinstance(kind, OwnWallRoute):
            assert (Path(__file__).parents[2] / kind.proven_by).is_file(), f"{kind.proven_by} does not exist"


def test_every_address_of_an_account_is_a_tenant_route() -> None:
    wrong = [
        route.shape
        for route in every_route()
        if "<account_slug>" in route.shape and not isinstance(kind_of(route), TenantRoute)
    ]
    assert not wrong


def _address(shape: str, cast: Cast, names: dict[str, str]) -> str:
    return address(shape, {"account_slug": cast.account.slug, **names})


@each_tenant_route
def test_own_is_answered_with_nothing_foreign_in_it_and_every_method_is_listed(
    shape: str, route: TenantRoute, cast: Cast
) -> None:
    make_contact(cast.stranger_account, name="Zebulon Foreigner", email="zebulon@foreign.example")
    stranger = cast.stranger_account
    marks = [mark.lower().encode() for mark in (stranger.name, str(stranger.id), cast.charlie.email, "zebulon")]
    owners = of_role(cast, Role.OWNER, route)
    for who in owners:
        for method, asks in route.methods.items():
            with undone():
                where = _address(shape, cast, made(route, cast.account))
                answer = ask(who, method, where, asks, asks.body_for(cast.account))
                assert answer.status_code in asks.answers, f"{method} {where}: {answer.status_code}\n{_text(answer)}"
                _, headers, body = bytes_of(answer)
            found = [mark for mark in marks if mark in body.lower() + str(headers).lower().encode()]
            assert not found, f"{method} {where} shows {found}"
    where = _address(shape, cast, made(route, cast.account))
    for method in set(METHODS) - set(route.methods):
        answer = ask(owners[0], method, where, Asks("account.view"), None)
        assert answer.status_code == 405, f"{method} {where} answers {answer.status_code}: list it in routes.py"


@each_tenant_route_of_an_object
def test_a_foreign_object_is_missing(shape: str, route: TenantRoute, cast: Cast) -> None:
    """By bytes: another account's object and one that does not exist; and nothing of theirs changes."""
    foreign = made(route, cast.stranger_account)
    nothing = missing(foreign)
    before = _rows_of(cast.stranger_account)
    for who in of_role(cast, Role.OWNER, route):
        for method, asks in route.methods.items():
            body = asks.body_for(cast.account)
            answers = [
                bytes_of(ask(who, method, _address(shape, cast, names), asks, body), *names.values())
                for names in (nothing, foreign, nothing)
            ]
            assert answers[0][0] == 404, f"{method}: a missing object answers {answers[0][0]}"
            assert answers[0] == answers[2], f"{method}: two answers to the same question differ"
            assert answers[1] == answers[0], f"{method}: a foreign object can be told from a missing one"
    assert _rows_of(cast.stranger_account) == before


@each_tenant_route
def test_a_foreign_account_is_missing(shape: str, route: TenantRoute, cast: Cast) -> None:
    """Alice at Charlie's address (or, on the API, naming Charlie's account) finds exactly nothing."""
    alice = person(cast.alice)
    names = made(route, cast.stranger_account)
    before = _rows_of(cast.stranger_account)
    for method, asks in route.methods.items():
        body = asks.body_for(cast.account)
        answers = []
        for slug in ("no-such-company", cast.stranger_account.slug):
            if route.api:
                headers, where = {"X-Account": slug}, address(shape, names)
            else:
                headers, where = {}, address(shape, {"account_slug": slug, **names})
            answers.append(bytes_of(ask(alice, method, where, asks, body, **headers), slug))
        assert answers[0][0] in ({401, 403, 404} if route.api else {404}), f"{method}: {answers[0][0]}"
        assert answers[0] == answers[1], f"{method}: a foreign account can be told from a missing one"
    assert _rows_of(cast.stranger_account) == before


@each_tenant_route
def test_anonymous_people_are_asked_to_sign_in(shape: str, route: TenantRoute, cast: Cast) -> None:
    names = made(route, cast.account)
    before = _rows_of(cast.account)
    for method, asks in route.methods.items():
        body = asks.body_for(cast.account)
        if route.api:
            answer = ask(nobody(), method, address(shape, names), asks, body)
            assert answer.status_code == 401, f"{method}: {answer.status_code}"
            wrong = ask(nobody(), method, address(shape, names), asks, body, Authorization="Bearer sr_abcdefghijkl_x")
            assert wrong.status_code == 401
        else:
            answers = []
            for slug in (cast.account.slug, "no-such-company"):
                answer = ask(nobody(), method, address(shape, {"account_slug": slug, **names}), asks, body)
                answers.append(bytes_of(answer, slug))
            assert answers[0][0] == 302, f"{method}: {answers[0][0]}"
            assert answers[0] == answers[1], f"{method}: anonymous people can tell which accounts exist"
    assert _rows_of(cast.account) == before


@each_tenant_route
def test_each_role_is_let_in_or_refused_as_the_matrix_says(shape: str, route: TenantRoute, cast: Cast) -> None:
    assert route.methods
    wrong = []
    for role in Role:
        # That owners are let in is what the first test of this file shows.
        left = {method: asks for method, asks in route.methods.items() if role not in asks.roles & {Role.OWNER}}
        for who in of_role(cast, role, route) if left else ():
            for method, asks in left.items():
                with undone():
                    wrong += _faults_as(role, who, method, shape, route, asks, cast)
    assert not wrong, "\n".join(wrong)


def _faults_as(
    role: Role, who: Who, method: str, shape: str, route: TenantRoute, asks: Asks, cast: Cast
) -> Iterator[str]:
    """What is not as the matrix says when ``who`` asks in ``role``."""
    where = _address(shape, cast, made(route, cast.account))
    before = None if role in asks.roles else _rows_of(cast.account, besides=_TRAIL)
    answer = ask(who, method, where, asks, asks.body_for(cast.account))
    said = f"{method} {where} as {role} ({asks.action}): {answer.status_code}\n{_text(answer)}"
    if role in asks.roles:
        if answer.status_code not in asks.answers:
            yield said
        return
    if answer.status_code != 403:
        yield said
    elif not route.api and not _says_who_may(asks.action, cast, answer.content.decode()):
        yield f"It does not say what is lacking: {said}"
    if _rows_of(cast.account, besides=_TRAIL) != before:
        yield f"Refused, and yet it changed something: {said}"


def _says_who_may(action: str, cast: Cast, page: str) -> bool:
    """Of the action, or of the one on own objects, which the door asks for first."""
    named = [name for name in (action, f"{action}_own") if name in ACTIONS]
    return any(escape(who_may(name, cast.account.name)) in page for name in named)


@each_route_of_a_person
def test_pages_of_a_person_are_theirs(shape: str, route: PersonRoute, cast: Cast) -> None:
    names = {name: str(maker(cast.charlie).pk) for name, maker in route.of.items()}
    where = address(shape, names)
    answer = ask(nobody(), route.method, where, Asks("account.view"), None)
    assert answer.status_code == 302, f"{where} as nobody: {answer.status_code}"
    assert "/accounts/login/" in answer.headers["Location"]
    if route.of:
        alice = person(cast.alice)
        foreign = ask(alice, route.method, where, Asks("account.view"), None)
        gone = ask(alice, route.method, address(shape, missing(names)), Asks("account.view"), None)
        assert foreign.status_code == 404
        assert bytes_of(foreign) == bytes_of(gone)


def test_the_operators_pages_are_closed_to_customers(cast: Cast) -> None:
    """Every admin address, for nobody and for the owner of an account."""
    strangers = (nobody(), person(cast.alice), program(cast.account, Role.OWNER, cast.alice))
    for route in every_route():
        if not isinstance(kind_of(route), PlatformRoute):
            continue
        where = route.shape.replace("<path:", "<")
        filled = address(where, dict.fromkeys(_names(where), "1"))
        for who in strangers:
            answer = ask(who, "GET", filled, Asks("account.view"), None)
            assert answer.status_code in {302, 403, 404}, f"{filled}: {answer.status_code}"


def _names(shape: str) -> list[str]:
    return [part.partition(">")[0] for part in shape.split("<")[1:]]


def _text(answer: Any) -> str:
    return "" if answer.streaming else answer.content.decode(errors="replace")[:600]


# A refusal may be written down.
_TRAIL = frozenset({"vault_auditentry", "vault_audithead"})


def _rows_of(account: Account, besides: frozenset[str] = frozenset()) -> dict[str, str]:
    """A digest of every row the account owns, table by table, read past the ORM."""
    tables = {table: column for table, (column, wall) in sorted(owned_columns().items()) if wall == "app.account_id"}
    with platform("compare an account's rows in a test"), connection.cursor() as cursor:
        if connection.connection not in _prepared:
            # Asked some thousand times; planning it takes seven times as long as answering.
            statement = " UNION ALL ".join(_DIGEST.format(table, column) for table, column in tables.items())
            cursor.execute(f"PREPARE rows_of(uuid) AS {statement}")
            _prepared.add(connection.connection)
        cursor.execute("EXECUTE rows_of(%s)", [account.id])
        found = {table: bytes(value).hex() for table, value in cursor.fetchall()}
    assert found.keys() == tables.keys()
    return {table: digest for table, digest in found.items() if table not in besides}


_prepared: WeakSet[Any] = WeakSet()
"""Sessions of the database that know the statement."""
# Whether somebody was here is not what an answer may not change.
_ROWS = "SELECT (to_jsonb(t) - 'last_used_at' - 'last_seen_at')::text r FROM \"{0}\" t WHERE {1} = $1"
_DIGEST = (
    f"SELECT '{{0}}', sha256(convert_to(coalesce(string_agg(r, chr(10) ORDER BY r), ''), 'UTF8')) FROM ({_ROWS}) x"
)
