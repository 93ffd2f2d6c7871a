"""An installation that begins to use another ZeroDB server: told plainly, then moved by one command, and back."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command

from apps.accounts.features.cache import forget_process
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import Conversation, IndexedMessage
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.integrations.admin.overview import figures
from apps.integrations.models import ZeroProject, ZeroVector
from apps.integrations.outbound import breaker
from apps.integrations.zerodb.readiness import is_ready
from apps.vault.models import AuditEntry
from tests.api_client import by_key
from tests.chat.conftest import SYSTEM, Say
from tests.chat.remote.conftest import index, messages_here, person, project_of, projects_there, vectors_there
from tests.factories import make_account
from tests.second_installation import SecondInstallation
from tests.stand_ins.faulty_proxy import FaultyProxy
from tests.working import work_off

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("elsewhere"),
    pytest.mark.timeout(240),
    pytest.mark.covers("P-07", "P-11", "P-12"),
]


def use(settings: Any, url: str) -> None:
    """As a restart with another ZERODB_API_URL does."""
    settings.ZERODB_API_URL = url
    forget_process()
    cache.clear()
    breaker.close_all()


def provision() -> str:
    out = StringIO()
    call_command("provision_accounts", "--rate", "100", stdout=out, stderr=StringIO())
    return out.getvalue()


def search(account: Account, query: str) -> Any:
    return by_key(account).post("conversations/search", {"query": query, "mode": "meaning"})


def held_here() -> list[str]:
    """The ids of the vectors of projects of the embedded server that are not deleted."""
    with platform("look into the embedded server in a test"):
        alive = ZeroProject.objects.exclude(status=ZeroProject.Status.DELETED)
        return sorted(ZeroVector.objects.filter(project__in=alive).values_list("external_id", flat=True))


@pytest.fixture
def at_home(proxy: FaultyProxy, settings: Any, say: Say) -> Account:
    """An account whose project lies in the embedded server, with two messages in it."""
    use(settings, "")
    account = make_account("Harbour & Pine")
    assert work_off(account, "project.provision") == ["done"]
    say(account, "My parcel has not arrived yet.")
    say(account, "I forgot my password and cannot sign in.")
    index(account)
    assert held_here() == messages_here(account)
    return account


def test_until_it_is_moved_nothing_is_sent_anywhere_and_it_says_why(
    at_home: Account, say: Say, proxy: FaultyProxy, settings: Any
) -> None:
    use(settings, proxy.url)
    refused = search(at_home, "Where is my delivery?")
    assert (refused.status, refused.json["reason"]) == (409, "needs_project")
    say(at_home, "Is anybody there?")
    assert work_off(at_home, "conversations.index") in ([], ["queued"])
    assert proxy.carried == []
    with platform("read the operator's figures in a test"):
        (figure,) = figures()
    assert figure.value.startswith("0 of")
    assert "1 at a service that is not in use" in figure.note
    page = person(at_home).get(f"/app/{at_home.slug}/ai/").content.decode()
    assert "Your AI project lies at another service" in page
    assert "Try now" in page
    with tenant(at_home):
        assert not is_ready(at_home.id)
        assert IndexedMessage.objects.filter(state="pending").count() == 1


def test_one_command_moves_it_and_its_index_and_leaves_nothing_behind(
    at_home: Account, say: Say, second: SecondInstallation, proxy: FaultyProxy, settings: Any
) -> None:
    before = project_of(at_home).project_id
    use(settings, proxy.url)
    with tenant(at_home):
        gone = Conversation.objects.order_by("id").last()
        delete_conversation(lock_conversation(gone.pk), actor=SYSTEM)
    say(at_home, "Is anybody there?")
    assert "1 provisioned, 0 failed" in provision()
    assert projects_there(second, at_home) == [project_of(at_home).project_id] != [before]
    index(at_home)
    assert vectors_there(second, at_home) == messages_here(at_home)
    assert len(messages_here(at_home)) == 2
    assert held_here() == []
    assert search(at_home, "Where is my delivery?").json["results"][0]["passages"][0]["text"].startswith("My parcel")
    with tenant(at_home):
        left = AuditEntry.objects.get(action="project.left_behind")
    assert before in str(left.payload)
    assert "0 provisioned" in provision()


def test_it_moves_back(at_home: Account, second: SecondInstallation, proxy: FaultyProxy, settings: Any) -> None:
    use(settings, proxy.url)
    provision()
    index(at_home)
    there = project_of(at_home).project_id
    use(settings, "")
    assert "1 provisioned" in provision()
    index(at_home)
    assert held_here() == messages_here(at_home)
    assert project_of(at_home).project_id != there
    assert search(at_home, "Where is my delivery?").status == 200


def test_an_outage_while_it_moves_is_waited_for(
    at_home: Account, second: SecondInstallation, proxy: FaultyProxy, settings: Any
) -> None:
    use(settings, proxy.url)
    proxy.fail("lost_after", method="POST", path="projects")
    with pytest.raises(Exception, match="have no project yet"):
        provision()
    assert held_here() == messages_here(at_home)  # what is there is kept until the other is
    assert "1 provisioned" in provision()
    index(at_home)
    assert vectors_there(second, at_home) == messages_here(at_home)
    assert len(projects_there(second, at_home)) == 1
    assert held_here() == []
