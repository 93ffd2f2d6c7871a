"""Importing contacts in a real browser: the steps by keyboard, and every state the page can be in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import ContactImport
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_cast
from tests.vault.contact_import.importing import work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("V-11")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]
ROWS = ["Name;E-Mail;Ort", "Jürgen;juergen@mail.example;Köln", "Zoë;zoe@mail.example;Mölndal", "Broken;foo@;x"]
FILE = {"name": "adressen.csv", "mimeType": "text/csv", "buffer": "\r\n".join(ROWS).encode("cp1252")}


@pytest.fixture
def cast(transactional_db: Any) -> Cast:
    return make_cast()


def upload(visitor: Visitor, cast: Cast) -> Page:
    page = visitor.open(f"/app/{cast.account.slug}/contacts/import/")
    page.get_by_label("CSV file").set_input_files(FILE)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload and read").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How the file is read")).to_be_visible()
    page.wait_for_load_state("domcontentloaded")  # before it, nothing listens
    return page


def settled(page: Page) -> None:
    """Wait until the parts that were swapped in listen: htmx takes 20 ms, more than this keyboard does."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def the_import(cast: Cast) -> ContactImport:
    with tenant(cast.account):
        return ContactImport.objects.select_related("job").get()


def test_a_file_is_read_anew_mapped_imported_and_reviewed_by_keyboard(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.bob)
    page = upload(visitor, cast)
    encoding = page.get_by_label("Encoding")
    expect(encoding).to_have_value("cp1252")
    expect(page.get_by_role("cell", name="Jürgen Zoë")).to_be_visible()
    encoding.focus()
    page.keyboard.press("M")  # Mac Roman
    expect(page.get_by_role("cell", name="J¸rgen")).to_be_visible()
    expect(page.get_by_label("Encoding")).to_be_focused()  # the page was swapped, the reader stays where they were
    settled(page)
    page.keyboard.press("W")  # Windows-1252
    expect(page.get_by_role("cell", name="Jürgen Zoë")).to_be_visible()
    settled(page)
    page.get_by_label("Column names").focus()
    page.keyboard.press("End")  # no row names them
    expect(page.get_by_label("Column A becomes")).to_be_visible()
    settled(page)
    page.get_by_label("Column names").focus()
    page.keyboard.press("Home")
    expect(page.get_by_label("E-Mail becomes")).to_have_value("email")
    settled(page)
    page.get_by_role("button", name="Import 3 rows").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("0 of 3 rows")).to_be_visible()
    assert work(the_import(cast)) == Job.Status.DONE
    expect(page.get_by_text("3 of 3 rows")).to_be_visible()  # by itself
    expect(page.get_by_text('E-mail "foo@"')).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="As CSV").press("Enter")
    assert saved.value.suggested_filename == "adressen-rejected.csv"
    assert saved.value.path().read_text("utf-8-sig").splitlines()[1].startswith("Broken;foo@;x;4;")
    assert visitor.faults == []


def test_every_state_of_an_import_on_a_phone_in_the_dark(visit: Visit, wrong_with: WrongWith, cast: Cast) -> None:
    visitor = visit(380, "dark")
    visitor.come_signed_in(cast.bob)
    page = visitor.open(f"/app/{cast.account.slug}/contacts/import/")
    page.get_by_role("button", name="Upload and read").click()
    expect(page.get_by_text("Choose a file.")).to_be_visible()
    faults = wrong_with(visitor)
    upload(visitor, cast)
    page.get_by_label("Delimiter").select_option("tab")
    expect(page.get_by_label("Name;E-Mail;Ort becomes")).to_be_visible()
    page.get_by_label("Column names").select_option("4")
    expect(page.get_by_role("alert")).to_contain_text("It is read as before.")
    faults += wrong_with(visitor)
    page.get_by_label("Delimiter").select_option("semicolon")
    page.get_by_label("E-Mail becomes").wait_for()
    faults += wrong_with(visitor)
    page.get_by_role("button", name="Import 3 rows").click()
    page.get_by_text("0 of 3 rows").wait_for()
    faults += wrong_with(visitor)
    found = the_import(cast)
    with tenant(cast.account):
        Job.objects.filter(pk=found.job_id).update(status=Job.Status.FAILED, error="The disk was full. " * 4)
    page.get_by_role("button", name="Go on").wait_for()
    faults += wrong_with(visitor)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Cancel import").wait_for()
    work(the_import(cast))
    page.get_by_text("Rows that need a look").wait_for()
    faults += wrong_with(visitor)
    visitor.open(f"/app/{cast.account.slug}/contacts/import/")
    assert faults + wrong_with(visitor) == []


def test_an_import_is_cancelled_and_says_what_stays(visit: Visit, wrong_with: WrongWith, cast: Cast) -> None:
    visitor = visit(380)
    visitor.come_signed_in(cast.members[Role.OWNER])
    page = upload(visitor, cast)
    page.get_by_role("button", name="Import 3 rows").click()
    page.get_by_role("button", name="Cancel import").click()
    expect(page.locator("#import")).to_contain_text("Stopped. The rows that are in stay in.")
    assert wrong_with(visitor) == []
