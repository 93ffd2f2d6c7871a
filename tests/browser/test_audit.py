"""The audit trail in a real browser: filters, older entries and details by keyboard, in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts import audit as trail
from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.services.contacts import create_contact, update_contact
from tests.browser.conftest import Visitor
from tests.factories import Cast
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("V-06")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]


@pytest.fixture
def told(cast: Cast) -> Cast:
    """A trail of more than one page, with changes of a contact in it."""
    with tenant(cast.account):
        for number in range(60):
            trail.record("note.written", actor=Actor.system("test"), label=f"number {number}")
        ann = create_contact(actor=owner(cast.account), name="Ann Archer", email="ann@mail.example")
        update_contact(ann, actor=owner(cast.account), phone="+442079460143", custom_attributes={"city": "Leith" * 30})
    return cast


def test_the_trail_is_filtered_opened_and_read_back_by_keyboard(visit: Visit, told: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(told.alice)
    page = visitor.open(f"/app/{told.account.slug}/audit/")
    entries = page.locator("#entries tr[id^=entry-]")
    expect(entries).to_have_count(50)
    page.get_by_role("link", name="Older").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is the beginning.")).to_be_visible()
    assert entries.count() > 60
    page.get_by_label("What", exact=True).focus()
    page.keyboard.type("Contacts")
    expect(entries).to_have_count(2)
    assert "action=contact" in page.url
    summary = entries.first.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(entries.first.get_by_role("rowheader", name="Phone")).to_be_visible()
    page.get_by_role("searchbox", name="Object").focus()
    page.keyboard.type("nobody@mail.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No entry fits these filters.")).to_be_visible()
    page.get_by_role("link", name="Show everything").press("Enter")
    expect(entries).to_have_count(50)
    assert visitor.faults == []


def test_the_proof_comes_to_the_page_by_itself(visit: Visit, told: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(told.alice)
    page = visitor.open(f"/app/{told.account.slug}/audit/")
    page.get_by_role("button", name="Check now").press("Enter")
    expect(page.get_by_text("Checking", exact=True)).to_be_visible()
    with tenant(told.account):
        job = Job.objects.get(kind="audit.verify")
    assert run(told.account.pk, job.pk) == Job.Status.DONE
    expect(page.get_by_text("Chain whole")).to_be_visible()
    assert visitor.faults == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_every_state_of_the_trail(visit: Visit, wrong_with: WrongWith, told: Cast, width: int, theme: str) -> None:
    visitor = visit(width, theme)
    visitor.come_signed_in(told.members[Role.ADMIN])
    page = visitor.open(f"/app/{told.account.slug}/audit/")
    page.locator("#entries tr[id^=entry-]").first.locator("summary").click()
    page.get_by_text("all about it").first.wait_for()
    faults = wrong_with(visitor)
    search, button = (
        page.locator(place).bounding_box() for place in ("#entity", "form[aria-label=Filters] button[type=submit]")
    )
    assert search and button
    if width == 1440:
        assert abs(search["y"] - button["y"]) < 8, "the filters stand in one row"
    visitor.open(f"/app/{told.account.slug}/audit/?from=2020-01-01&to=2020-01-02")
    assert faults + wrong_with(visitor) == []


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_who_may_not_read_it_is_told_so_in_words(visit: Visit, wrong_with: WrongWith, cast: Cast, role: Role) -> None:
    visitor = visit(380)
    visitor.come_signed_in(cast.members[role])
    page = visitor.open(f"/app/{cast.account.slug}/audit/")
    expect(page.get_by_role("heading", name="Your role may not do that")).to_be_visible()
    assert wrong_with(visitor) == []
