"""What the pages do by themselves: keyboard, dialogs, menus, parts that load, themes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.models import APIKey
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from tests.browser.conftest import Visitor
from tests.factories import Cast, add_member, make_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Visit = Callable[..., Visitor]


def test_search_and_jump_works_by_keyboard_alone(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    page = visitor.sign_in(cast.alice)
    page.keyboard.press("Control+k")
    box = page.get_by_label("Search or type a command")
    expect(box).to_be_focused()
    page.keyboard.type("memb")
    first = page.get_by_role("option", name="Members")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", str(first.get_attribute("id")))
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "false")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/")
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    expect(page.get_by_text("Nothing by that name")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search or type a command")).to_be_hidden()
    assert visitor.faults == []


def test_the_skip_link_is_first_and_leads_to_the_content(visit: Visit, cast: Cast) -> None:
    page = visit().sign_in(cast.alice)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_dialog_takes_the_focus_and_gives_it_back(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/api/")
    opener = page.get_by_role("link", name="New key")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()
    assert visitor.faults == []


@pytest.mark.covers("A-09")
def test_a_key_is_shown_once_and_cannot_be_closed_by_accident(visit: Visit, cast: Cast) -> None:
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/api/")
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("Website backend")
    page.get_by_role("button", name="Make key").click()
    shown = page.locator("code#key").inner_text()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_visible()
    done = page.get_by_role("button", name="Done")
    expect(done).to_be_disabled()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    page.get_by_label("I have stored the key").check()
    done.click()
    expect(page.get_by_role("row", name="Website backend")).to_be_visible()
    assert shown not in page.content()
    assert visitor.faults == []


def test_a_role_changes_in_place_and_a_refusal_stands_beside_it(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/members/")
    page.get_by_label("Role of Alice").select_option("member")
    expect(page.get_by_role("alert")).to_contain_text("needs an owner. Make someone else owner first.")
    expect(page.get_by_label("Role of Alice")).to_have_value("owner")
    bob = page.get_by_label(f"Role of {cast.bob.display_name}")
    bob.select_option("viewer")
    expect(page.get_by_text(f"{cast.bob.display_name} is a viewer now.")).to_be_visible()
    page.reload()
    expect(bob).to_have_value("viewer")
    assert visitor.faults == []


def test_menus_open_beside_their_button_and_close_with_escape(visit: Visit, cast: Cast) -> None:
    make_api_key(cast.account, name="Phone system")
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/api/")
    button = page.get_by_role("button", name=re.compile("More for Phone system"))
    button.click()
    item = page.get_by_role("button", name="Disable", exact=True)
    expect(item).to_be_visible()
    menu, place = item.bounding_box(), button.bounding_box()
    assert menu and place
    assert abs(menu["y"] - place["y"]) < 220
    page.keyboard.press("Escape")
    expect(item).to_be_hidden()
    button.click()
    item.click()
    expect(page.get_by_text("Disabled", exact=True)).to_be_visible()
    with tenant(cast.account):
        assert not APIKey.objects.get(name="Phone system").enabled


def test_light_and_dark_hold_over_pages_and_sessions(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    page = visitor.sign_in(cast.alice)
    with page.expect_response("**/accounts/theme/") as answer:
        page.get_by_role("button", name="Switch between light and dark").click()
    assert answer.value.status == 204
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    elsewhere = visit().sign_in(cast.alice)
    expect(elsewhere.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.covers("A-06")
def test_accounts_are_switched_on_a_phone(visit: Visit, cast: Cast) -> None:
    add_member(cast.stranger_account, Role.VIEWER, cast.alice)
    visitor = visit(380)
    page = visitor.sign_in(cast.alice)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("dialog").get_by_role("link", name=cast.stranger_account.name).click()
    page.wait_for_url(f"**/app/{cast.stranger_account.slug}/")
    assert visitor.faults == []


@pytest.mark.covers("A-03")
def test_an_authenticator_app_is_turned_on_and_then_asked_for(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open("/accounts/2fa/totp/activate/")
    page.get_by_label("Password", exact=True).fill("correct-horse-battery")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    secret = page.locator(".sr-qr code").inner_text()
    page.get_by_label("Code the app shows now").fill(totp(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator("#codes").inner_text().split()
    assert len(codes) == 10
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert saved.value.path().read_text().split() == codes
    expect(page.get_by_role("button", name="Done")).to_be_disabled()
    page.get_by_label("I have stored the codes").check()
    page.get_by_role("button", name="Done").click()
    page.goto(visitor.base + "/accounts/2fa/recovery-codes/")
    assert codes[0] not in page.content()
    assert visitor.faults == []

    other = visit()
    page = other.open("/accounts/login/")
    page.get_by_label("E-mail").fill(cast.alice.email)
    page.get_by_label("Password", exact=True).fill("correct-horse-battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Password accepted")).to_be_visible()
    # Six digits are sent by themselves; wrong ones are refused in words.
    page.get_by_label("Code").fill("000000" if totp(secret) != "000000" else "000001")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/app/**")


def test_passwords_can_be_looked_at(visit: Visit) -> None:
    page = visit().open("/accounts/login/")
    field = page.get_by_label("Password", exact=True)
    field.fill("secret")
    eye = page.get_by_role("button", name="Show password")
    eye.click()
    expect(field).to_have_attribute("type", "text")
    expect(eye).to_have_attribute("aria-pressed", "true")
    eye.click()
    expect(field).to_have_attribute("type", "password")


def test_forms_work_without_javascript(visit: Visit, cast: Cast) -> None:
    visitor = visit(java_script_enabled=False)
    page = visitor.sign_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/api/")
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_text(re.compile(r"^sr_[a-z0-9]{12}_"))).to_be_visible()
    visitor.open(f"/app/{cast.account.slug}/api/")
    expect(page.get_by_role("row", name="Without scripts")).to_be_visible()


def test_a_part_that_fails_says_so_in_place(visit: Visit, cast: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/members/")
    page.route("**/role/", lambda route: route.abort())
    page.get_by_label(f"Role of {cast.bob.display_name}").select_option("viewer")
    expect(page.get_by_role("alert")).to_contain_text("The server did not answer.")


def totp(secret: str) -> str:
    """RFC 6238, as the phone computes it."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time() // 30)), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"
