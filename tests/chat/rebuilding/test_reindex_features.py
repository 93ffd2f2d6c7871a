"""``manage.py reindex --feature``: what canned responses are suggested by, and facts are recalled by."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from apps.accounts.features import FeatureOff
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.embedding import embed
from apps.chat.indexing.generations import chosen_model
from apps.chat.memory.rebuilding import rebuild_memories
from apps.chat.models import CannedResponse, ContactMemory, ReplyProfile
from apps.chat.services.canned_responses import update_canned_response
from apps.chat.services.memories import change_memory, lock_memory
from apps.chat.suggestions import rebuilding
from apps.chat.suggestions.packing import unpack
from apps.chat.suggestions.profiles import read_profiles, serving_model
from apps.chat.suggestions.rebuilding import rebuild_replies
from apps.integrations.zerodb.client import ProjectClient
from apps.integrations.zerodb.usage import month_of_use
from tests.accounts.features.conftest import switch
from tests.chaos.processes import LEASE_SECONDS, ROOT, forget_crash, surroundings
from tests.chat.conftest import SYSTEM, Say
from tests.chat.rebuilding.conftest import OTHER, choose_model, reindex
from tests.factories import make_account
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-12", "P-06")]


def embedded(account: Account) -> int:
    """How many texts were embedded so far, as the ledger has it."""
    with tenant(account):
        return month_of_use(timezone.now()).embeddings


def by_model(account: Account) -> list[str]:
    """The models of the vectors that facts have."""
    with tenant(account):
        return sorted((row.embedding or {}).get("model", "") for row in ContactMemory.objects.all())


def test_each_feature_is_built_by_itself_and_all_of_them_without_a_name(stocked: Account, say: Say) -> None:
    say(stocked, "My parcel has not arrived yet.")
    only = ("--account", stocked.slug, "--feature")
    assert f"{stocked.slug}: 3 of 3 canned responses prepared\n1 of 1 are built." in reindex(*only, "suggestions")
    assert (embedded(stocked), by_model(stocked)) == (3, ["", "", ""])
    assert f"{stocked.slug}: 3 of 3 facts prepared\n1 of 1 are built." in reindex(*only, "agent_memory")
    with tenant(stocked):
        assert by_model(stocked) == [chosen_model()] * 3
        assert not read_profiles(chosen_model()).missing
        assert not ContactMemory.objects.filter(is_due=True).exists()
    said = reindex("--account", stocked.slug)
    for words in ("1 of 1 messages indexed", "3 of 3 canned responses prepared", "3 of 3 facts prepared", "3 of 3 are"):
        assert words in said
    # Made anew, all of it; the message for the index in use, too, which serves meanwhile.
    assert embedded(stocked) == 6 + 8


def test_without_doing_anything_it_says_how_much_there_is(stocked: Account, say: Say) -> None:
    switch(stocked, "agent_memory", False)
    said = reindex("--account", stocked.slug, "--dry-run")
    assert f"{stocked.slug}: 3 canned responses would be prepared" in said
    assert f"{stocked.slug}: facts would be left out. Agent memory is switched off by your account." in said
    assert embedded(stocked) == 0


def test_what_is_in_use_serves_until_all_of_the_new_model_is_there(
    stocked: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    reindex("--account", stocked.slug, "--feature", "suggestions")
    choose_model(stocked, OTHER)
    monkeypatch.setattr("apps.chat.indexing.pacing.AT_ONCE", 1)
    seen, generate = [], ProjectClient.generate

    def looked_at(*args: object, **named: object) -> object:
        with tenant(stocked):
            seen.append((serving_model() == OTHER, len(read_profiles(serving_model()).replies)))
        return generate(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ProjectClient, "generate", looked_at)
    reindex("--account", stocked.slug, "--feature", "suggestions")
    assert seen == [(False, 3)] * 3
    with tenant(stocked):
        assert serving_model() == OTHER and len(read_profiles(OTHER).replies) == 3


def test_what_is_rewritten_meanwhile_is_made_of_what_it_says_now(
    stocked: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate, texts = ProjectClient.generate, []

    def rewritten(self: ProjectClient, given: list[str], **named: object) -> object:
        texts.append(given)
        if len(texts) == 1:
            with tenant(stocked):
                canned = CannedResponse.objects.get(short_code="parcel")
                update_canned_response(canned, actor=SYSTEM, content="We repair bicycles on the day.")
        return generate(self, given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ProjectClient, "generate", rewritten)
    reindex("--account", stocked.slug, "--feature", "suggestions")
    assert [len(some) for some in texts] == [3, 1] and "repair bicycles" in texts[1][0]
    with tenant(stocked):
        row = ReplyProfile.objects.get(canned_response__short_code="parcel")
        (fresh,) = embed(texts[1], actor=SYSTEM).vectors
        assert unpack(row.vector) == pytest.approx(fresh, abs=1e-6) and row.due_at is None


def test_a_fact_that_is_changed_meanwhile_is_made_of_what_it_says_now(
    stocked: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate, texts = ProjectClient.generate, []

    def changed(self: ProjectClient, given: list[str], **named: object) -> object:
        texts.append(given)
        if len(texts) == 1:
            with tenant(stocked):
                last = ContactMemory.objects.order_by("-id").values_list("pk", flat=True)[0]
                change_memory(lock_memory(last), actor=SYSTEM, content="Lives in a lighthouse.")
        return generate(self, given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ProjectClient, "generate", changed)
    assert "3 of 3 facts prepared" in reindex("--account", stocked.slug, "--feature", "memory")
    assert [len(some) for some in texts] == [3, 1] and texts[1] == ["Lives in a lighthouse."]


def test_begun_anew_it_does_what_is_wished_now(stocked: Account) -> None:
    with tenant(stocked):
        first = rebuild_replies(actor=SYSTEM, rate=0.5)
        assert rebuild_replies(actor=SYSTEM).pk == first.pk
        assert Job.objects.get(pk=first.pk).payload["rate"] is None
    assert work_off(stocked, rebuilding.KIND) == ["done"]
    assert embedded(stocked) == 3


def test_it_keeps_to_the_rate(stocked: Account) -> None:
    began = time.monotonic()
    reindex("--account", stocked.slug, "--feature", "memory", "--rate", "2")
    assert time.monotonic() - began > 1.4


@pytest.mark.covers("A-11")
def test_accounts_without_the_feature_are_left_out_and_named(stocked: Account, say: Say) -> None:
    say(stocked, "My parcel has not arrived yet.")
    other = make_account("Other")
    assert work_off(other, "project.provision") == ["done"]
    for name in ("semantic_search", "smart_suggestions", "agent_memory"):
        switch(stocked, name, False)
    said = reindex("--account", stocked.slug, "--account", other.slug)
    for things in ("messages", "canned responses", "facts"):
        assert f"{stocked.slug}: {things} are left out." in said
    assert "3 of 6 are built, 3 left out." in said
    assert embedded(stocked) == 0
    with tenant(stocked):
        for begin in (rebuild_replies, rebuild_memories):
            with pytest.raises(FeatureOff):
                begin(actor=SYSTEM)


@pytest.fixture
def crash_points() -> Iterator[list[str]]:
    points = ["suggestions.before_embed", "suggestions.before_keep", "suggestions.cut_over", "memories.before_keep"]
    for name in points:
        forget_crash(name)
    yield points
    for name in points:
        forget_crash(name)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.covers("X-06")
def test_killed_anywhere_it_goes_on_and_counts_once(stocked: Account, crash_points: list[str]) -> None:
    choose_model(stocked, OTHER)
    begun: set[str] = set()
    for point in crash_points:
        feature = point.partition(".")[0].replace("memories", "memory")
        more = ["--continue"] if feature in begun else []
        assert _run(stocked, feature, *more, STRONGROOM_CRASH_AT=point) == -9
        begun.add(feature)
    for feature in ("suggestions", "memory"):
        assert _run(stocked, feature, "--continue") == 0
    with tenant(stocked):
        assert serving_model() == OTHER and not read_profiles(OTHER).missing
        assert set(Job.objects.filter(kind__endswith=".rebuild").values_list("status", flat=True)) == {"done"}
    assert by_model(stocked) == [OTHER] * 3
    assert embedded(stocked) == 6


def _run(account: Account, feature: str, *more: str, **variables: str) -> int:
    command = [sys.executable, "manage.py", "reindex", "--account", account.slug, "--feature", feature, *more]
    environment = surroundings(JOB_LEASE_SECONDS=str(LEASE_SECONDS), **variables)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, timeout=120).returncode


def test_what_is_whole_is_left_as_it_is_when_it_is_to_go_on(stocked: Account) -> None:
    reindex("--account", stocked.slug, "--feature", "memory")
    said = reindex("--account", stocked.slug, "--feature", "memory", "--continue")
    assert f"{stocked.slug}: facts: nothing is unfinished\n1 of 1 are built." in said
    assert embedded(stocked) == 3
