"""SQL that no manager made: every module that writes some is listed, with how the first wall stands in it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.covers("A-07")

APPS = Path(__file__).parents[2] / "apps"

BY_HAND = {
    "accounts/jobs/running.py": "asks whether a transaction is open; no statement of its own",
    "accounts/live/announcing.py": "looks at what runs after the commit; no statement of its own",
    "accounts/live/numbers.py": "names the account of the scope",
    "accounts/metering/counters.py": "takes a lock of the account's name, no rows",
    "accounts/metering/reserving.py": "asks whether a transaction is open; no statement of its own",
    "accounts/metering/settling.py": "adds to the sums of a day, whose account the row names",
    "accounts/tenancy/lock_waits.py": "sets how long a lock is waited for, no rows",
    "accounts/tenancy/apart.py": "asks whether a test's transaction is open; no statement of its own",
    "accounts/tenancy/catalogue.py": "reads PostgreSQL's catalogue, no rows",
    "accounts/tenancy/models.py": "the wall itself: the query that all managers begin with",
    "accounts/tenancy/opening.py": "begins a scope",
    "accounts/tenancy/role_faults.py": "reads PostgreSQL's catalogue, no rows",
    "accounts/tenancy/roles.py": "prepares roles before migrations, no rows",
    "accounts/tenancy/scope.py": "sets the scope",
    "chat/indexing/locking.py": "takes a lock of the account's name, no rows",
    "chat/management/commands/reindex.py": "closes the connection of a thread; no statement of its own",
    "chat/search/showing.py": "extra() narrows a manager's query",
    "integrations/services/old_columns.py": "reads another system's database, over a connection of its own",
    "integrations/zerodb/server/store/matches.py": "names the project of the scope",
    "integrations/zerodb/server/store/memories.py": "names the project of the scope",
    "integrations/zerodb/server/store/nearest.py": "names the project of the scope",
    "integrations/zerodb/server/store/rows.py": "names the project of the scope; extra() narrows a manager's query",
    "integrations/zerodb/server/store/usage.py": "names the project of the scope",
    "integrations/zerodb/server/store/vectors.py": "names the project of the scope; extra() narrows a manager's query",
    "vault/contact_import/writing.py": "names the account of the scope",
    "vault/messages/asking.py": "has the account that it is asked for in every look-up",
    "vault/messages/rebuilding.py": "writes the rows of the job's own account, which is a parameter",
    "vault/messages/setting.py": "takes a lock of the account's name, no rows",
    "vault/prepared.py": "sends the statements of others: a manager's own, with its account as a parameter",
    "vault/recent_contacts.py": "a manager's own statement, kept with its account as a parameter",
    "vault/tokens/renewal.py": "closes a connection that broke; no statement of its own",
}
_NAMES = {"connection", "connections", "RawSQL", "psycopg"}
_CALLS = {"extra", "raw", "raw_query"}


def _by_hand(path: Path) -> set[str]:
    """What in a module can get past the managers."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("django.db"):
                found |= {alias.name for alias in node.names} & _NAMES
            case ast.Import():
                found |= {alias.name for alias in node.names} & _NAMES
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Attribute(attr="objects"))) if name in _CALLS:
                found.add(name)
            case ast.Call(func=ast.Attribute(attr="extra")):
                found.add("extra")
            case ast.Call(func=ast.Attribute(attr="QuerySet", value=ast.Name(id="models"))):
                found.add("QuerySet")
    return found


def test_every_module_that_writes_sql_is_listed() -> None:
    writing = {
        str(path.relative_to(APPS)): found
        for path in APPS.rglob("*.py")
        if "migrations" not in path.parts and "postgresql" not in path.parts and (found := _by_hand(path))
    }
    assert len(writing) > 10, "nothing is found any more: the test looks for the wrong things"
    unknown = {name: found for name, found in writing.items() if name not in BY_HAND}
    assert not unknown, f"Say in {Path(__file__).name} how the first wall stands in these: {unknown}"
    assert not set(BY_HAND) - set(writing), "Listed and gone"


@pytest.mark.parametrize("name", [name for name, why in BY_HAND.items() if why.startswith("names the")])
def test_what_names_the_owner_does(name: str) -> None:
    """As many owners as statements that begin at an owned table."""
    text = (APPS / name).read_text()
    owner = "account_id" if "account" in BY_HAND[name] else "project_id"
    assert text.count(f"current_{owner}()") + text.count("_account()") >= 1
    assert f"{owner} = " in text or f"{owner}, " in text
