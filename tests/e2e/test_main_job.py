"""What a new customer and a super admin do, from the first page to the proof, against the product as it is started."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.chromium import PATIENCE
from tests.e2e import authenticator
from tests.e2e.people import PeopleFile, write_people
from tests.e2e.product import Product, running

PEOPLE = 10_000
FOUNDER, PASSWORD = "founder@harbour-pine.example", "a-long-enough-password-7"
OPERATOR, OPERATOR_PASSWORD = "operator@strongroom.example", "another-long-password-8"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("product") / "data") as product:
        yield product


@pytest.fixture
def new_page(product: Product, browser: Browser) -> Iterator[Any]:
    """Make a page of a person of their own."""
    people: list[BrowserContext] = []

    def make() -> Page:
        people.append(browser.new_context(base_url=product.base))
        page = people[-1].new_page()
        page.set_default_timeout(PATIENCE)
        return page

    yield make
    for person in people:
        person.close()


@pytest.mark.covers("O-01", "A-01", "A-04", "P-01", "P-02", "P-04", "V-02", "V-06", "V-11")
def test_from_sign_up_to_the_proof(product: Product, new_page: Any, tmp_path: Path) -> None:
    people = write_people(tmp_path / "customers.csv", PEOPLE)
    customer: Page = new_page()
    slug = sign_up(customer)
    the_project_becomes_ready(customer, slug)
    import_people(customer, slug, people)
    wanted = people.emails[4321]
    find_by_email(customer, slug, wanted)
    nothing_is_readable_in_the_database(product, people)
    operator: Page = new_page()
    key = reveal_the_key_as_super_admin(product, operator, slug)
    assert key.startswith("zerodb_sk_")
    all_of_it_is_in_the_trail(customer, slug)
    proof = product.manage("verify_audit", "--all")
    assert proof.returncode == 0, proof.stdout + proof.stderr


def sign_up(page: Page) -> str:
    """Create an account, and confirm by the mail in the mailbox. Returns the account's slug."""
    page.goto("/accounts/signup/")
    page.get_by_label("Your name").fill("Maya Okafor")
    page.get_by_label("Company or team").fill("Harbour & Pine")
    page.get_by_label("E-mail").fill(FOUNDER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/confirm-email/**")
    page.goto("/dev/mail/")
    page.locator("a.rowlink").first.click()
    page.locator(".sr-mailtext a").first.click()
    page.get_by_role("button", name=re.compile("Confirm")).click()
    if "/login/" in page.url:
        page.get_by_label("E-mail").fill(FOUNDER)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/app/**")
    return page.url.split("/app/")[1].split("/")[0]


def the_project_becomes_ready(page: Page, slug: str) -> None:
    page.goto(f"/app/{slug}/ai/")
    expect(page.get_by_role("main")).to_contain_text("Ready")


def import_people(page: Page, slug: str, people: PeopleFile) -> None:
    """Upload the list, look at the guessed columns, watch it, and read the rejected rows."""
    page.goto(f"/app/{slug}/contacts/import/")
    page.locator("input[type=file]").set_input_files(people.path)
    page.get_by_role("button", name="Upload and read").click()
    rows = f"{PEOPLE + people.broken:,}"
    start = page.get_by_role("button", name=f"Import {rows} rows")
    expect(page.get_by_role("main")).to_contain_text("Windows-1252")
    start.click()
    expect(page.get_by_role("heading", name="Rows that need a look")).to_be_visible(timeout=180_000)
    with page.expect_download() as started:
        page.get_by_role("link", name="As CSV").click()
    rejected = Path(started.value.path()).read_text(encoding="utf-8-sig")
    assert rejected.count("\n") == people.broken + 1
    assert "call the office" in rejected


def find_by_email(page: Page, slug: str, email: str) -> None:
    page.goto(f"/app/{slug}/contacts/")
    page.get_by_role("searchbox").first.fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text(email)


def nothing_is_readable_in_the_database(product: Product, people: PeopleFile) -> None:
    addresses = [email.encode() for email in people.emails]
    for content in (product.dump(), *product.database_files()):
        found = [address for address in addresses[::97] if address in content]
        assert not found, found
        # Every address ends with a word and ".example": none of them at all, however it is stored.
        assert not re.search(rb"\.\d{1,5}@[a-z-]+\.example", content)


def reveal_the_key_as_super_admin(product: Product, page: Page, slug: str) -> str:
    made = product.manage("create_super_admin", OPERATOR, SUPER_ADMIN_PASSWORD=OPERATOR_PASSWORD)
    assert made.returncode == 0, made.stderr
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(OPERATOR)
    page.get_by_label("Password", exact=True).fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto("/accounts/2fa/totp/activate/")
    if page.get_by_label("Password", exact=True).count():
        page.get_by_label("Password", exact=True).fill(OPERATOR_PASSWORD)
        page.locator("form").get_by_role("button").last.click()
    secret = page.locator(".sr-code code").first.inner_text()
    authenticator.wait_for_time_to_type()
    page.get_by_label("Code the app shows now").fill(authenticator.code(secret))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url(lambda url: "/activate/" not in url)
    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/admin/")
    page.get_by_label("E-mail").fill(OPERATOR)
    page.get_by_label("Password", exact=True).fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/2fa/authenticate/**")
    time.sleep(31 - time.time() % 30)  # a code is good once: the next one
    page.get_by_label(re.compile("[Cc]ode")).first.fill(authenticator.code(secret))
    page.wait_for_url("**/admin/**")  # six digits send themselves
    page.goto("/admin/accounts/account/?q=" + slug)
    page.locator("#result_list a", has_text="Harbour").first.click()
    page.get_by_role("link", name="Reveal…").click()
    page.locator("input[type=password]").fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name=re.compile("Reveal for")).click()
    return page.locator("#revealed-key").inner_text().strip()


def all_of_it_is_in_the_trail(page: Page, slug: str) -> None:
    actions = set()
    answer = page.request.get("/api/v1/audit?limit=200")
    assert answer.status == 200, answer.text()
    for entry in json.loads(answer.text())["results"]:
        actions.add(entry["action"])
    wanted = {"account.created", "project.provisioned", "project.key_revealed"}
    assert wanted <= actions, actions
    page.goto(f"/app/{slug}/audit/")
    expect(page.get_by_role("main")).to_contain_text(re.compile("revealed", re.IGNORECASE))
