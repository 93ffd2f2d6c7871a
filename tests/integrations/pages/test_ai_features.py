"""The cards of the AI features: switches for admins, words for the others, figures of the month."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.features import FeatureOff, is_on, require_feature
from apps.accounts.features.choosing import choose
from apps.accounts.metering import Line
from apps.accounts.pages import registry
from apps.accounts.pages.door import tenant_page
from apps.accounts.pages.registry import Panel, register
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.zerodb.usage import month_of_use
from tests.accounts.features.conftest import stage, switch
from tests.accounts.metering.conftest import use
from tests.accounts.signin.people import trail
from tests.factories import Cast
from tests.integrations.pages.test_ai_page import PART, AsRole, make_ready
from tests.working import work_off

pytestmark = [pytest.mark.django_db, pytest.mark.covers("P-05")]


def words(client: Any, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def plain(client: Any, path: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(path).content.decode()).split())


def test_without_a_project_the_cards_say_what_they_wait_for(as_role: AsRole, base: str) -> None:
    page = words(as_role(Role.OWNER), f"{base}ai/")
    for name in ("Semantic search", "Smart suggestions", "Agent memory"):
        assert name in page
    assert page.count("needs a project") == 3
    assert 'role="switch"' not in page
    assert "Usage this month" not in page
    assert "Not configured" in page


@pytest.mark.covers("A-05")
def test_admins_get_switches_and_the_others_read_how_they_stand(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    switch(cast.account, "agent_memory", False)
    for role in Role:
        page = words(as_role(role), f"{base}ai/")
        assert page.count('role="switch" id="switch-') == (3 if role in {Role.OWNER, Role.ADMIN} else 0)
        assert "Off, by your account’s choice." in page
        assert ("What it costs" in page) == (role in {Role.OWNER, Role.ADMIN})
    member = as_role(Role.MEMBER)
    assert member.post(f"{base}ai/features/", {"feature": "agent_memory", "on": "on"}).status_code == 403
    assert not is_on("agent_memory", cast.account)


@pytest.mark.covers("A-11")
def test_the_card_says_who_switched_it_off(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    staff = Actor("staff", cast.charlie.id, "support@strongroom.example", None, cast.charlie.id)
    with tenant(cast.account):
        choose("agent_memory", False, account=cast.account, actor=staff)
    viewer = as_role(Role.VIEWER)
    assert "Off, by your operator." in words(viewer, f"{base}ai/")
    switch(cast.account, "agent_memory", True)
    switch(cast.account, "agent_memory", False)
    assert "Off, by your account’s choice." in words(viewer, f"{base}ai/")
    stage("agent_memory", "opt_in")
    switch(cast.account, "agent_memory", None)
    opted = words(viewer, f"{base}ai/")
    assert "by your" not in opted and "Off. Nothing remembered yet" in opted


def test_a_switch_answers_with_its_card_and_the_trail_tells(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    admin = as_role(Role.ADMIN)
    off = admin.post(f"{base}ai/features/", {"feature": "agent_memory"}, headers=PART)
    answer = off.content.decode()
    assert 'id="feature-agent_memory"' in answer
    assert "Agent memory is off." in answer
    assert not is_on("agent_memory", cast.account)
    assert "switched off Agent memory" in plain(admin, f"{base}audit/")
    assert trail(cast.account)[0].action == "feature.switched_off"
    assert admin.post(f"{base}ai/features/", {"feature": "agent_memory", "on": "on"}).status_code == 302
    assert is_on("agent_memory", cast.account)
    assert admin.post(f"{base}ai/features/", {"feature": "telepathy"}).status_code == 404


def test_a_refusal_stands_on_the_card_with_the_switch_as_it_was(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    stage("semantic_search", "off")
    admin = as_role(Role.ADMIN)
    page = words(admin, f"{base}ai/")
    assert page.count("not available yet") == 1
    refused = admin.post(f"{base}ai/features/", {"feature": "semantic_search", "on": "on"}, headers=PART)
    assert refused.status_code == 200
    assert "Semantic search is not available yet." in refused.content.decode()
    assert 'role="switch"' not in refused.content.decode()


def test_the_month_is_read_from_the_ledger(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    for unit, number in (("searches", 412), ("embeddings", 61_774), ("vectors", 48_210)):
        use(cast.account, Line(unit, number, "zerodb"), source="zerodb")
    use(cast.account, Line("searches", 7, "elsewhere"), source="other")
    page = words(as_role(Role.VIEWER), f"{base}ai/")
    for figure in ("412", "61,774", "48,210", "412 searches this month"):
        assert figure in page, figure
    assert "419" not in page
    chart = words(as_role(Role.VIEWER), f"{base}ai/?chart=vectors")
    assert "Vectors per day. Most on" in chart
    assert "48,210." in chart
    with tenant(cast.account):
        month = month_of_use(timezone.now())
    assert (month.searches, month.embeddings, month.vectors, len(month.days)) == (412, 61_774, 48_210, 30)
    assert month.resets_on.day == 1
    with tenant(cast.stranger_account):
        assert month_of_use(timezone.now()).searches == 0


@pytest.mark.covers("P-09")
def test_the_days_of_the_chart_are_a_file_with_those_on_which_nothing_happened(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    make_ready(cast)
    for unit, number in (("searches", 412), ("embeddings", 61_774)):
        use(cast.account, Line(unit, number, "zerodb"), source="zerodb")
    answer = as_role(Role.VIEWER).get(f"{base}ai/use.csv")
    head, *days = answer.content.decode().splitlines()
    today = timezone.now().astimezone(UTC).date()
    assert (head, len(days), days[-1]) == ("day,searches,embeddings,vectors,lookups", 30, f"{today},412,61774,0,0")
    assert days[0] == f"{today - timedelta(days=29)},0,0,0,0"
    assert f'href="{base}ai/use.csv"' in words(as_role(Role.VIEWER), f"{base}ai/")


def test_floors_above_add_their_own_part_to_the_page(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    before = list(registry._entries[Panel])
    register(Panel("integrations/ai/panel.html", "project.view", 1, _shown_by_a_floor_above, place="ai"))
    try:
        assert "31,020 of 48,210 messages" in words(as_role(Role.OWNER), f"{base}ai/")
        assert "31,020 of 48,210 messages" not in words(as_role(Role.OWNER), base)
    finally:
        registry._entries[Panel] = before


def _shown_by_a_floor_above(request: HttpRequest) -> dict[str, Any]:
    return {"state": "run", "words": "31,020 of 48,210 messages"}


@pytest.mark.covers("X-07")
@pytest.mark.parametrize(("to", "status"), [("off", 403), ("opt_in", 409)])
def test_a_page_of_a_feature_that_is_not_on_says_so_calmly(
    cast: Cast, rf: Any, to: str, status: int, settings: Any
) -> None:
    """What every page gets that calls require_feature, with and without htmx."""
    from apps.accounts.models import Membership

    stage("semantic_search", to)

    @tenant_page("account.view")
    def page(request: HttpRequest) -> Any:
        require_feature("semantic_search", request.account)  # type: ignore[attr-defined]

    with tenant(cast.account):
        membership = Membership.objects.select_related("user").get(user=cast.alice)
        for headers in ({}, PART):
            request = rf.get("/", headers=headers)
            request.account, request.actor, request.user = cast.account, Actor.member(membership), cast.alice
            request.session, request._messages = {}, _Messages()
            answer = page(request, account_slug=cast.account.slug)
            text = answer.content.decode()
            if headers:
                assert (answer.status_code, answer["HX-Reswap"]) == (200, "none")
                assert request._messages.said[0].startswith("Semantic search is not")
            else:
                assert answer.status_code == status
                assert "Semantic search is not on" in text
                assert "Nothing was done." in text
                assert f"/app/{cast.account.slug}/ai/" in text
    with pytest.raises(FeatureOff):
        require_feature("semantic_search", cast.account)


class _Messages:
    def __init__(self) -> None:
        self.said: list[str] = []

    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        self.said.append(message)

    def __iter__(self) -> Any:
        return iter(())


@pytest.mark.covers("P-08")
@pytest.mark.django_db(transaction=True)
def test_admins_see_the_estimate_of_the_month_and_the_others_no_costs(as_role: AsRole, base: str, cast: Cast) -> None:
    assert work_off(cast.account, "project.provision") == ["done"]
    use(cast.account, Line("searches", 412, "zerodb"), source="zerodb")
    page = plain(as_role(Role.ADMIN), f"{base}ai/")
    assert "Cost estimate" in page
    assert "$4.12" in page
    assert "Memory" in page
    for role in (Role.MEMBER, Role.VIEWER):
        page = plain(as_role(role), f"{base}ai/")
        assert "Cost estimate" not in page
        assert "$" not in page.partition("Usage this month")[2].partition("Settings")[0]
