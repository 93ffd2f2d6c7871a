"""The operator's side of feature switches: stages with their reach, and accounts' choices."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.features import is_on, state_of
from apps.accounts.models import FeatureChoice, FeatureStage
from apps.accounts.tenancy.scope import tenant
from tests.accounts.admin.test_screens import listed, page, text
from tests.accounts.features.conftest import name as name
from tests.accounts.features.conftest import stage, switch
from tests.accounts.signin.people import platform_trail, trail
from tests.factories import make_account

pytestmark = [pytest.mark.covers("A-11", "O-05"), pytest.mark.django_db(transaction=True)]


def address(admin: Client, feature: str) -> str:
    admin.get(page("accounts_featurestage_changelist"))
    return page("accounts_featurestage_change", FeatureStage.objects.get(feature=feature).pk)


def test_the_list_shows_every_feature_with_its_stage_and_whom_it_reaches(admin: Client, name: str) -> None:
    one, _ = make_account(), make_account()
    switch(one, name, False)
    stage("agent_memory", "opt_in")
    shown = listed(admin, "accounts_featurestage")
    for words in ("Semantic search", "Smart suggestions", "Agent memory", "Time travel", "On, with opt-out", "Opt-in"):
        assert words in shown, words
    assert "1 of 2 accounts (50 %)" in shown
    assert "0 on, 1 off" in shown
    assert "0 of 2 accounts (0 %)" in shown


def test_the_reach_is_shown_before_and_asked_about_and_only_then_set(admin: Client, name: str) -> None:
    account = make_account()
    where = address(admin, name)
    assert "1 of 1 account, 100 %" in text(admin.get(where))
    reach = admin.get(where.replace("change/", "reach/"), {"stage": "off", "percent": ""})
    assert "0 of 1 account, 0 %" in text(reach)
    assert "1 loses it." in text(reach)
    values = {"stage": "percent", "percent": "0"}
    asked = text(admin.post(where, values))
    assert "to “0 % of accounts”?" in asked
    assert "1 loses it." in asked
    assert is_on(name, account), "asked is not done"
    done = text(admin.post(where, {**values, "confirmed": "yes"}, follow=True))
    assert "Time travel is now: 0 % of accounts." in done
    assert not is_on(name, account)
    assert platform_trail()[0].action == "feature.staged"


def test_a_share_without_a_number_is_refused_at_its_field(admin: Client, name: str) -> None:
    where = address(admin, name)
    refused = admin.post(where, {"stage": "percent", "percent": "", "confirmed": "yes"})
    assert refused.status_code == 422
    assert "Say how many of a hundred accounts." in refused.content.decode()
    assert admin.post(where, {"stage": "percent", "percent": "101", "confirmed": "yes"}).status_code == 422
    assert "Say how many" in text(admin.get(where.replace("change/", "reach/"), {"stage": "percent"}))
    assert "is there already" in text(admin.post(where, {"stage": "on", "percent": ""}, follow=True))


def test_an_accounts_page_tells_its_choices_and_staff_switch_in_their_own_name(admin: Client, name: str) -> None:
    account = make_account("Harbour & Pine")
    mine = page("accounts_account_change", account.pk)
    shown = text(admin.get(mine))
    assert "on, with opt-out follows the stage Switch off Time travel" in shown
    assert "needs the AI project, which is not ready" in shown
    off = page("accounts_featurestage_choice", name, account.pk, "off")
    assert "whatever its stage" in text(admin.get(off))
    assert is_on(name, account)
    assert "Harbour &amp; Pine: Time travel is off." in text(admin.post(off, follow=True))
    assert not is_on(name, account)
    line = trail(account)[0]
    assert (line.action, line.actor_kind) == ("feature.switched_off", "staff")
    assert "Harbour &amp; Pine" in listed(admin, "accounts_featurechoice")
    admin.post(page("accounts_featurestage_choice", name, account.pk, "follow"))
    with tenant(account):
        assert not FeatureChoice.objects.exists()
    stage(name, "off")
    on = page("accounts_featurestage_choice", name, account.pk, "on")
    assert "Time travel is not available yet." in text(admin.post(on, follow=True))
    assert state_of(name, account).choice is None


@pytest.mark.parametrize(("feature", "choice"), [("telepathy", "on"), ("agent_memory", "maybe")])
def test_what_there_is_not_is_not_found(admin: Client, feature: str, choice: str) -> None:
    account = make_account()
    assert admin.get(page("accounts_featurestage_choice", feature, account.pk, choice)).status_code == 404


def test_a_list_is_called_by_what_it_holds(admin: Client) -> None:
    for model, title in (("featurestage", "Feature stages"), ("price", "Prices"), ("dailyusage", "Daily usages")):
        found = admin.get(page(f"accounts_{model}_changelist")).content.decode()
        assert f"<title>{title} |" in " ".join(found.split()).replace("<title> ", "<title>")
