"""Stages, choices and the one place that is asked."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import Actor
from apps.accounts.features import Feature, FeatureOff, UnknownFeature, declare, is_on, require_feature, state_of
from apps.accounts.features import cache as kept
from apps.accounts.features.cache import PROCESS_SECONDS, _near, forget_process
from apps.accounts.features.staging import reach, set_stage, stage_rows
from apps.accounts.models import FeatureChoice, FeatureStage, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from tests.accounts.features.conftest import stage, switch
from tests.accounts.signin.people import platform_trail, trail
from tests.factories import Cast, make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("A-11")]


def test_a_feature_goes_from_nobody_to_everybody_and_back(name: str, cast: Cast) -> None:
    mine, theirs = cast.account, cast.stranger_account
    assert is_on(name, mine), "as shipped"
    stage(name, "off")
    assert not is_on(name, mine)
    with pytest.raises(FeatureOff, match="Time travel is not available yet"):
        switch(mine, name, True)
    stage(name, "opt_in")
    assert not is_on(name, mine)
    switch(mine, name, True)
    assert is_on(name, mine) and not is_on(name, theirs), "an account switches for itself alone"
    stage(name, "percent", 0)
    assert is_on(name, mine), "who opted in stays in"
    stage(name, "percent", 100)
    assert is_on(name, theirs)
    switch(theirs, name, False)
    assert not is_on(name, theirs)
    stage(name, "on")
    assert is_on(name, mine) and not is_on(name, theirs), "who opted out stays out"
    switch(theirs, name, None)
    assert is_on(name, theirs), "and follows the operator again"
    stage(name, "off")
    assert not is_on(name, mine) and not is_on(name, theirs)


@pytest.mark.parametrize(
    ("to", "choice", "code", "words"),
    [
        ("off", None, "not_available", "Time travel is not available yet."),
        (
            "opt_in",
            None,
            "not_switched_on",
            "Time travel is not switched on yet. Owners and admins can switch it on.",
        ),
        (
            "on",
            False,
            "switched_off",
            "Time travel is switched off by your account. Owners and admins can switch it on.",
        ),
    ],
)
def test_a_refusal_says_why(name: str, cast: Cast, to: str, choice: bool | None, code: str, words: str) -> None:
    stage(name, to)
    if choice is not None:
        switch(cast.account, name, choice)
    with pytest.raises(FeatureOff) as refused:
        require_feature(name, cast.account)
    assert (refused.value.code, str(refused.value)) == (code, words)


def test_what_stands_so_already_is_no_choice(name: str, cast: Cast) -> None:
    assert switch(cast.account, name, True).choice is None
    assert switch(cast.account, name, None).choice is None
    with tenant(cast.account):
        assert not FeatureChoice.objects.exists()
    assert [line.action for line in trail(cast.account)] == ["account.created"]


def test_both_trails_tell_who_switched_what(name: str, cast: Cast) -> None:
    with tenant(cast.account):
        alice = Actor.member(Membership.objects.select_related("user").get(user=cast.alice))
    switch(cast.account, name, False, alice)
    stage(name, "percent", 25)
    switch(cast.account, name, None, alice)
    withdrawn, off = trail(cast.account)[:2]
    assert (off.action, off.actor) == ("feature.switched_off", cast.alice.email)
    assert off.changes == {"feature": name, "choice": [None, False], "stage": "on"}
    assert withdrawn.action == "feature.choice_withdrawn"
    staged = platform_trail()[0]
    assert (staged.action, staged.entity) == ("feature.staged", "Time travel")
    assert staged.changes["stage"] == ["on, with opt-out", "25 % of accounts"]


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_switch_nothing_and_no_account_moves_a_stage(name: str, cast: Cast, role: Role) -> None:
    with tenant(cast.account):
        actor = Actor.member(Membership.objects.select_related("user").get(role=role))
        owner = Actor.member(Membership.objects.select_related("user").get(role=Role.OWNER))
    with pytest.raises(PermissionDenied):
        switch(cast.account, name, False, actor)
    with pytest.raises(PermissionDenied):
        set_stage(name, stage="off", actor=owner)


def test_a_wrong_stage_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        stage(name, "half")
    assert list(refused.value.message_dict) == ["stage"]
    with pytest.raises(ValidationError) as refused:
        stage(name, "percent", 101)
    assert list(refused.value.message_dict) == ["percent"]
    with pytest.raises(UnknownFeature):
        stage("telepathy", "on")


def test_two_features_of_one_name_are_a_fault(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        declare(Feature(name, "Another", ""))


def test_the_hot_path_asks_the_database_nothing(name: str, cast: Cast) -> None:
    kept.cache.clear()  # a minute after the account was made
    forget_process()
    is_on(name, cast.account)
    with tenant(cast.account), CaptureQueriesContext(connection) as queries:
        for _ in range(50):
            assert is_on(name, cast.account)
            assert not is_on("semantic_search", cast.account), "its project is not there"
    assert len(queries) == 0
    forget_process()
    with tenant(cast.account), CaptureQueriesContext(connection) as queries:
        assert is_on(name, cast.account), "another process finds it in the cache server"
    assert len(queries) == 0


def test_another_process_notices_within_seconds(name: str, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_on(name, cast.account)
    other_process = dict(_near)
    switch(cast.account, name, False)
    assert not is_on(name, cast.account), "the one that switched knows at once"
    _near.clear()
    _near.update(other_process)
    assert is_on(name, cast.account), "what it still believes"
    later = time.monotonic() + PROCESS_SECONDS
    monkeypatch.setattr("apps.accounts.features.cache.time.monotonic", lambda: later)
    assert not is_on(name, cast.account)


def test_a_reader_of_the_old_state_does_not_put_it_back(name: str, cast: Cast) -> None:
    """It read before the change committed and stores afterwards: the mark of the change is in its way."""
    with transaction.atomic():
        switch(cast.account, name, False)
        kept.cache.add(f"features:{cast.account.id}", ({}, frozenset()), 60)
        forget_process()
    kept.cache.add(f"features:{cast.account.id}", ({}, frozenset()), 60)
    assert not is_on(name, cast.account)


def test_a_switch_that_is_rolled_back_is_none(name: str, cast: Cast) -> None:
    with transaction.atomic():
        switch(cast.account, name, False)
        transaction.set_rollback(True)
    forget_process()
    assert is_on(name, cast.account)
    assert state_of(name, cast.account).choice is None


def test_the_reach_of_a_stage_is_counted_before_it_is_set(name: str, cast: Cast) -> None:
    others = [make_account() for _ in range(6)]
    accounts = 2 + len(others)
    switch(cast.account, name, False)
    with platform("count"):
        off, on = reach(name, "off", 0), reach(name, "on", 0)
        half = reach(name, "percent", 50)
    assert (off.reached, off.accounts, off.lost, off.gained) == (0, accounts, accounts - 1, 0)
    assert (on.reached, on.lost, on.gained, on.chose_off, on.chose_on) == (accounts - 1, 0, 0, 1, 0)
    stage(name, "percent", 50)
    really = [is_on(name, account) for account in [cast.account, cast.stranger_account, *others]]
    assert sum(really) == half.reached
    assert half.share == 100 * half.reached / accounts


def test_a_row_that_nobody_changed_follows_what_is_shipped(name: str, cast: Cast) -> None:
    with platform("list"):
        stage_rows()
        FeatureStage.objects.filter(feature=name).update(stage="off")
    assert is_on(name, cast.account), "only the operator's own change counts"


def test_a_tenant_can_not_write_stages(name: str, cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), tenant(cast.account):
        FeatureStage.objects.create(feature=name, stage="on")
