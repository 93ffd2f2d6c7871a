"""Connections in a real browser: the whole job by keyboard, on a phone in the dark, in every state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.actors import Actor
from apps.accounts.demo.cast import COMPANIES
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.demo.connections import add_connections
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.services.connections import connect
from tests.browser.conftest import Visitor
from tests.factories import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("I-06")]

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"
NEW_KEY = "sk_test_9999999999999999999999999new"
WRONG_KEY = "sk_test_0000000000000000000000wrong"


@pytest.fixture(autouse=True)
def stripe(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    """Knows KEY and NEW_KEY."""
    close_all()
    settings.PROVIDER_URLS = {"stripe": httpserver.url_for("/v1")}
    settings.OUTBOUND_ALLOW = ["localhost"]

    def balance(request: Request) -> Response:
        known = request.headers.get("Authorization") in {f"Bearer {KEY}", f"Bearer {NEW_KEY}"}
        body = {"object": "balance", "livemode": False} if known else {"error": {"message": "Invalid API Key provided"}}
        return Response(orjson.dumps(body), status=200 if known else 401, mimetype="application/json")

    httpserver.expect_request("/v1/balance").respond_with_handler(balance)
    return httpserver


def place(cast: Cast) -> str:
    return f"/app/{cast.account.slug}/integrations/"


def arrange_demo(cast: Cast) -> None:
    """Every state there is, and a month of use."""
    with tenant(cast.account):
        add_connections(cast.account, COMPANIES[0], Actor("user", cast.alice.id, cast.alice.email, Role.OWNER))


def connected(cast: Cast) -> Integration:
    with tenant(cast.account):
        return connect(
            actor=Actor.system("tests"), category="payment", provider_name="stripe", credentials={"secret_key": KEY}
        )


def focused(page: Page) -> str:
    """What has the focus, by its name."""
    name: str = page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || "
        "document.activeElement.name || document.activeElement.tagName"
    )
    return name


def tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab; the focus is at {focused(page)}")


def test_a_service_is_found_connected_tested_and_removed_by_keyboard_alone(
    visit: Callable[..., Visitor], cast: Cast
) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.members[Role.ADMIN])
    page = visitor.open(place(cast))
    page.locator("#q").focus()
    page.keyboard.type("stri")
    expect(page.locator("article")).to_have_count(1)
    tab_to(page, "Connect Stripe")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Connect Stripe")
    expect(dialog.get_by_label("Secret key")).to_be_focused()
    page.keyboard.type(WRONG_KEY)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("nothing was saved")
    expect(dialog.get_by_role("alert")).to_contain_text("Invalid API Key provided")
    key = dialog.get_by_label("Secret key")
    expect(key).to_be_focused()
    expect(key).to_have_value(WRONG_KEY)
    page.keyboard.press("Control+a")
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Stripe works as test mode. Saved.")).to_be_visible()
    expect(page.get_by_role("link", name="Configure Stripe")).to_be_focused()
    expect(page.locator("#q")).to_have_value("stri")

    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Test Stripe")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It works: test mode.")).to_be_visible()
    expect(page.get_by_role("button", name="Test Stripe")).to_be_focused()

    tab_to(page, "More for Stripe")
    page.keyboard.press("Enter")
    tab_to(page, "Remove…")
    page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name="Remove Stripe?")
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    expect(page.get_by_role("link", name="Connect Stripe")).to_be_focused()
    assert visitor.faults == []


def test_escape_closes_a_dialog_and_gives_the_focus_back(visit: Callable[..., Visitor], cast: Cast) -> None:
    connected(cast)
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(place(cast))
    page.get_by_role("link", name="Configure Stripe").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Configure Stripe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Configure Stripe")).to_be_focused()


@pytest.mark.covers("I-08")
def test_a_stored_secret_is_replaced_as_a_whole_or_stays(visit: Callable[..., Visitor], cast: Cast) -> None:
    row = connected(cast)
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(place(cast))
    page.get_by_role("link", name="Configure Stripe").click()
    key = page.get_by_label("Secret key")
    expect(key).to_have_value("••••••••wxyz")
    page.get_by_role("combobox", name="Currency").select_option("gbp")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("GBP")).to_be_visible()
    page.get_by_role("link", name="Configure Stripe").click()
    key.focus()
    page.keyboard.type(NEW_KEY)
    expect(key).to_have_value(NEW_KEY)
    page.get_by_role("button", name="Test and save").last.click()
    expect(page.get_by_text("Stripe works as test mode")).to_be_visible()
    with tenant(cast.account):
        assert Integration.objects.get(pk=row.pk).credential("secret_key") == NEW_KEY


def test_states_and_search_change_the_list_without_leaving_it(visit: Callable[..., Visitor], cast: Cast) -> None:
    arrange_demo(cast)
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(place(cast))
    page.get_by_role("link", name="Needs attention").click()
    expect(page.get_by_role("link", name="Stripe", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Twilio", exact=True)).to_be_visible()
    assert "kind=attention" in page.url
    page.get_by_role("searchbox").fill("nothing like that")
    expect(page.get_by_role("heading", name="No service by that name")).to_be_visible()
    page.get_by_role("link", name="Show all services").click()
    expect(page.get_by_role("link", name="Stripe", exact=True)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.get_by_role("button", name="Disable Stripe").click()
    expect(page.get_by_role("button", name="Enable Stripe")).to_be_focused()
    assert visitor.faults == []


@pytest.mark.parametrize(
    ("width", "theme"), [pytest.param(1440, "light", marks=pytest.mark.full), pytest.param(380, "dark")]
)
def test_every_state_is_accessible_and_fits(
    visit: Callable[..., Visitor],
    wrong_with: Callable[[Visitor], list[str]],
    faults_of: Callable[[Page], list[str]],
    cast: Cast,
    width: int,
    theme: str,
) -> None:
    visitor = visit(width, theme)
    visitor.come_signed_in(cast.alice)
    page = visitor.open(place(cast))
    faults = wrong_with(visitor)
    arrange_demo(cast)
    with tenant(cast.account):
        rows = {row.provider: row for row in Integration.objects.all()}
    for path in ("", "?kind=disabled", "?q=nothing", f"{rows['twilio'].id}/", f"{rows['stripe'].id}/?days=7"):
        visitor.open(place(cast) + path)
        faults += wrong_with(visitor)
    visitor.open(place(cast))
    for name in ("Configure Stripe", "Connect Zoho CRM"):
        page.get_by_role("link", name=name).click()
        page.get_by_role("dialog").wait_for()
        faults += faults_of(page)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="More for Stripe").click()
    page.get_by_role("link", name="Rotate the credential…").last.click()
    page.get_by_role("dialog").wait_for()
    page.get_by_role("button", name="Test and swap").click()
    page.get_by_text("This is the credential in use.").wait_for()
    faults += faults_of(page)
    assert faults + visitor.faults == []
