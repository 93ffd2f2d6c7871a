"""Contacts in a real browser: by keyboard alone, on a phone, in the dark, as each role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_contact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("V-02")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]
LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"


@pytest.fixture
def ann(cast: Cast) -> Contact:
    """One of a few contacts, with everything a contact may have."""
    for number in range(3):
        make_contact(cast.account, phone=f"+44207946000{number}")
    details: dict[str, Any] = {"phone": "+442079460142", "identifier": "HP-20418", "contact_type": "customer"}
    attributes = {"city": "Leith", "a rather long name of an attribute": LONG * 2}
    return make_contact(
        cast.account, name=f"Ann {LONG}", email="ann@mail.example", custom_attributes=attributes, **details
    )


def test_a_contact_is_found_changed_and_deleted_by_keyboard_alone(visit: Visit, cast: Cast, ann: Contact) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.bob)
    page = visitor.open(f"/app/{cast.account.slug}/contacts/")
    expect(page.locator("#contacts tbody tr")).to_have_count(4)
    search = page.get_by_role("searchbox", name="Find a contact")
    search.focus()
    page.keyboard.type("ann@mail.example")
    expect(page.locator("#contacts tbody tr")).to_have_count(1)
    expect(search).to_be_focused()
    assert "q=ann%40mail.example" in page.url, "the address can be kept"
    page.get_by_role("link", name="Ann").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Edit").focus()
    page.keyboard.press("Enter")
    phone = page.get_by_role("textbox", name="Phone")
    phone.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("call office")
    page.keyboard.press("Enter")
    expect(phone).to_be_focused()  # the first fault
    expect(phone).to_have_value("call office")
    expect(page.get_by_text("This is not a phone number.")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("020 7946 0999")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.get_by_role("link", name="+44 20 7946 0999")).to_be_visible()
    page.get_by_role("link", name="Delete…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.type(f"Ann {LONG}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/")
    expect(page.locator("#toasts")).to_contain_text("deleted")
    with tenant(cast.account):
        assert not Contact.objects.filter(pk=ann.pk).exists()
    assert visitor.faults == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_every_state_of_the_contacts_pages(
    visit: Visit, wrong_with: WrongWith, cast: Cast, ann: Contact, width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    visitor.come_signed_in(cast.bob)
    base = f"/app/{cast.account.slug}/contacts/"
    faults = []
    for path in ("", "?q=nobody@x.example", "?q=%2B44", "?type=partner", f"{ann.pk}/", f"{ann.pk}/edit/"):
        visitor.open(base + path)
        faults += wrong_with(visitor)
    page = visitor.open(f"{base}new/")
    page.get_by_label("E-mail").fill("foo@")
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    faults += wrong_with(visitor)
    page = visitor.open(f"{base}{ann.pk}/")
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults + wrong_with(visitor) == []


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_what_it_may_do_and_nothing_else(visit: Visit, cast: Cast, ann: Contact, role: Role) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.members[role])
    page = visitor.open(f"/app/{cast.account.slug}/contacts/")
    writes = role != Role.VIEWER
    seen = [page.get_by_role("link", name=name).count() for name in ("Import", "New contact")]
    assert seen == [int(writes), int(writes)]
    visitor.open(f"/app/{cast.account.slug}/contacts/{ann.pk}/")
    seen = [page.get_by_role("link", name=name).count() for name in ("Edit", "Delete…")]
    assert seen == [int(writes), int(writes)]
    history = page.get_by_role("heading", name="History")
    assert history.count() == int(role in (Role.OWNER, Role.ADMIN))
    assert visitor.faults == []
