"""The AI features in a real browser: switching by keyboard, refusals, each state, and the operator's stages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.accounts.features import is_on, state_of
from apps.accounts.metering import Line
from apps.accounts.models import FeatureStage
from apps.accounts.roles import Role
from tests.accounts.features.conftest import stage, switch
from tests.accounts.metering.conftest import use
from tests.accounts.signin.people import enrol, super_admin
from tests.browser.conftest import Visitor
from tests.browser.test_admin import open_admin
from tests.factories import Cast
from tests.integrations.pages.test_ai_page import make_ready

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("P-05", "A-11")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (380, "light"), (380, "dark")])
def test_an_admin_switches_by_keyboard_and_keeps_the_focus(
    visit: Visit, wrong_with: WrongWith, cast: Cast, width: int, theme: str
) -> None:
    make_ready(cast)
    for unit, number in (("searches", 412), ("embeddings", 61_774), ("vectors", 48_210)):
        use(cast.account, Line(unit, number, "zerodb"), source="zerodb")
    visitor = visit(width, theme)
    visitor.come_signed_in(cast.members[Role.ADMIN])
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    faults = wrong_with(visitor)
    memory = page.get_by_role("switch", name="Agent memory")
    expect(memory).to_be_checked()
    memory.press("Space")
    expect(page.locator("#toasts")).to_contain_text("Agent memory is off.")
    expect(page.locator("#feature-agent_memory")).to_contain_text("Off, by your account’s choice.")
    expect(memory).not_to_be_checked()
    expect(memory).to_be_focused()
    assert not is_on("agent_memory", cast.account)
    assert is_on("semantic_search", cast.account)
    faults += wrong_with(visitor)
    page.get_by_role("link", name="Vectors").click()
    expect(page.get_by_role("img", name="Vectors per day.")).to_be_visible()
    memory.press("Space")
    expect(memory).to_be_checked()
    assert faults + wrong_with(visitor) == []


def test_what_the_operator_took_back_meanwhile_is_said_on_the_card(
    visit: Visit, wrong_with: WrongWith, cast: Cast
) -> None:
    make_ready(cast)
    switch(cast.account, "semantic_search", False)
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    stage("semantic_search", "off")
    page.get_by_role("switch", name="Semantic search").press("Space")
    card = page.locator("#feature-semantic_search")
    expect(card.get_by_role("alert")).to_contain_text("Semantic search is not available yet.")
    expect(card.get_by_role("switch")).to_have_count(0)
    expect(card).to_contain_text("not available yet")
    assert wrong_with(visitor) == []


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
@pytest.mark.parametrize("ready", [True, False])
def test_who_may_not_switch_reads_how_it_stands(
    visit: Visit, wrong_with: WrongWith, cast: Cast, role: Role, ready: bool
) -> None:
    if ready:
        make_ready(cast)
    switch(cast.account, "agent_memory", False)
    visitor = visit(380, "dark")
    visitor.come_signed_in(cast.members[role])
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    if ready:
        expect(page.locator("#feature-semantic_search")).to_contain_text("On")
        expect(page.locator("#feature-agent_memory")).to_contain_text("Off")
    else:
        expect(page.get_by_text("needs a project")).to_have_count(3)
    assert page.locator("#main input, #main form").count() == 0
    assert wrong_with(visitor) == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_the_operator_sees_the_reach_change_while_choosing(visit: Visit, cast: Cast, width: int, theme: str) -> None:
    rita = super_admin()
    enrol(rita)
    visitor = visit(width, theme)
    open_admin(visitor, rita)
    visitor.open("/admin/accounts/featurestage/")
    row = FeatureStage.objects.get(feature="smart_suggestions")
    page = visitor.open(reverse("admin:accounts_featurestage_change", args=[row.pk]))
    reach = page.locator("#reach")
    expect(reach).to_contain_text("2 of 2 accounts, 100 %")
    page.get_by_label("Opt-in").check()
    expect(reach).to_contain_text("0 of 2 accounts, 0 %")
    expect(reach).to_contain_text("2 lose it.")
    page.get_by_label("A share of accounts").check()
    page.get_by_label("Share of accounts in per cent").fill("")
    expect(reach).to_contain_text("Say how many of a hundred accounts.")
    page.get_by_label("Share of accounts in per cent").fill("100")
    expect(reach).to_contain_text("Nobody gets it and nobody loses it.")
    page.get_by_label("Opt-in").check()
    expect(reach).to_contain_text("2 lose it.")
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
    page.get_by_text("Go on…").click()
    expect(page.get_by_text("to “opt-in”?")).to_be_visible()
    assert page.evaluate(over) <= 0
    assert is_on_by_stage(cast)
    page.get_by_text("Move it").click()
    expect(page.get_by_text("Smart suggestions is now: opt-in.")).to_be_visible()
    assert not is_on_by_stage(cast)
    page = visitor.open(reverse("admin:accounts_account_change", args=[cast.account.pk]))
    expect(page.get_by_text("is not switched on yet")).to_be_visible()
    assert page.evaluate(over) <= 0
    assert visitor.faults == []


def is_on_by_stage(cast: Cast) -> bool:
    return state_of("smart_suggestions", cast.account).enabled
