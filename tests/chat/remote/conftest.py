"""An account whose AI project lies at another installation, reached over HTTP through a proxy that fails on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client

from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing import changes
from apps.chat.indexing.sweeping import sweep
from apps.chat.models import Message
from apps.integrations.models import AINativeProject
from apps.integrations.outbound import breaker, http
from apps.integrations.zerodb.client import resting
from tests.api_client import ApiClient, by_key
from tests.factories import make_account
from tests.second_installation import SecondInstallation, second_installation
from tests.stand_ins.faulty_proxy import FaultyProxy, faulty_proxy
from tests.working import work_off

INDEX = "conversations.index"


@pytest.fixture(scope="session")
def second() -> Iterator[SecondInstallation]:
    """The other installation: started once for all tests of the session."""
    data = Path(django_settings.DATA)
    with second_installation(data.with_name(f"{data.name}-elsewhere")) as installation:
        yield installation


@pytest.fixture
def proxy(second: SecondInstallation, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """The way there, as the settings of this installation name it. Changes are indexed at once."""
    monkeypatch.setattr(changes, "DEBOUNCE", timedelta(0))
    breaker.close_all()
    resting.forget_all()
    with faulty_proxy(second.port) as way:
        settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY = way.url, second.master_key
        yield way
    breaker.close_all()
    resting.forget_all()


class Clock:
    """The time of day, and the time that circuits and pauses go by: both stand still until they are moved."""

    def __init__(self, traveller: time_machine.Coordinates) -> None:
        self._traveller = traveller
        self.seconds = 0.0

    def forward(self, seconds: float) -> None:
        """So much time passes."""
        self.seconds += seconds
        self._traveller.shift(seconds)

    def monotonic(self) -> float:
        """In place of the system's."""
        return 1_000.0 + self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Nobody waits: waiting moves the clock."""
    with time_machine.travel(datetime(2026, 11, 21, 9, tzinfo=UTC), tick=False) as traveller:
        clock = Clock(traveller)
        monkeypatch.setattr(breaker, "monotonic", clock.monotonic)
        monkeypatch.setattr(resting, "monotonic", clock.monotonic)
        monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.forward))
        breaker.close_all()
        yield clock


@pytest.fixture
def account(proxy: FaultyProxy) -> Account:
    """One whose project is ready there."""
    account = make_account("Harbour & Pine")
    assert work_off(account, "project.provision") == ["done"]
    return account


@pytest.fixture
def api(account: Account) -> ApiClient:
    """Its owner's."""
    return by_key(account)


def vectors_there(second: SecondInstallation, account: Account) -> list[str]:
    """The ids of all vectors of the account's project in the other installation's database."""
    return sorted(vector for (vector,) in second.rows(_VECTORS, project_of(account).project_id))


def projects_there(second: SecondInstallation, account: Account) -> list[str]:
    """The ids of all projects that bear the account's mark there and are not deleted."""
    return [project for (project,) in second.rows(_PROJECTS, f"%{account.id}%")]


_VECTORS = """
SELECT external_id FROM integrations_zerovector vector JOIN integrations_zeroproject project
    ON project.id = vector.project_id WHERE public_id = %s
"""
_PROJECTS = "SELECT public_id FROM integrations_zeroproject WHERE name LIKE %s AND status <> 'DELETED'"


def messages_here(account: Account) -> list[str]:
    """The ids of all messages of the account; short ones have one vector each, of the same id."""
    with tenant(account):
        return sorted(str(key) for key in Message.objects.values_list("id", flat=True))


def project_of(account: Account) -> AINativeProject:
    """The account's row."""
    with tenant(account):
        return AINativeProject.objects.get()


def person(account: Account) -> Client:
    """Its owner, signed in."""
    with tenant(account):
        owner = Membership.objects.select_related("user").get(role=Role.OWNER).user
    client = Client()
    client.force_login(owner)
    return client


def index(account: Account) -> None:
    """Everything that is due goes in or out."""
    sweep()
    assert set(work_off(account, INDEX)) <= {"done"}
