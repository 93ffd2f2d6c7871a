"""Every page, light and dark, wide and on a phone: accessible, without faults, without sideways scrolling."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from apps.accounts.actors import Actor
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.accounts.services.invitations import invite
from apps.accounts.tenancy.scope import tenant
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

OUTSIDE = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/no-such-key/",
    "/accounts/password/reset/key/1-no-such-key/",
    "/accounts/password/reset/key/done/",
    "/accounts/invitations/no-such-token/",
    "/nothing/here/",
]
PERSONAL = [
    "/accounts/profile/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/sessions/",
    "/accounts/new/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
]
# Both widths and both themes each time; the other combinations with `make test ARGS="-m full"`.
SIZES = [
    (1440, "light"),
    (380, "dark"),
    *(pytest.param(*other, marks=pytest.mark.full) for other in [(1440, "dark"), (1024, "light"), (380, "light")]),
]


def sections(page: Page) -> list[str]:
    """The addresses of the side bar, which stands in the page on phones too."""
    found = page.evaluate("[...document.querySelectorAll('.sr-side .sr-nav a')].map(a => a.getAttribute('href'))")
    return [str(address) for address in found]


def look_at(visitor: Visitor, path: str, wrong_with: Callable[[Visitor], list[str]]) -> list[str]:
    page = visitor.open(path)
    faults = wrong_with(visitor)
    if not re.search(r".+ · Strongroom$", page.title()):
        faults.append(f"{path}: title {page.title()!r}")
    return faults


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_pages_before_signing_in(
    visit: Callable[..., Visitor], wrong_with: Callable[[Visitor], list[str]], width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    assert [fault for path in OUTSIDE for fault in look_at(visitor, path, wrong_with)] == []


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_every_section_and_personal_page_of_an_owner(
    visit: Callable[..., Visitor], wrong_with: Callable[[Visitor], list[str]], cast: Cast, width: int, theme: str
) -> None:
    make_api_key(cast.account, name="Website backend", scopes=["contacts.*"])
    with tenant(cast.account):
        owner = Actor.member(Membership.objects.select_related("user").get(user=cast.alice))
        invite(account=cast.account, email="lars@x.example", role=Role.VIEWER, actor=owner)
    visitor = visit(width, theme)
    page = visitor.sign_in(cast.alice)
    paths = sections(page)
    assert len(paths) >= 5
    assert [fault for path in [*paths, *PERSONAL] for fault in look_at(visitor, path, wrong_with)] == []


@pytest.mark.covers("A-05")
@pytest.mark.parametrize(
    "role", [Role.VIEWER, *(pytest.param(role, marks=pytest.mark.full) for role in (Role.ADMIN, Role.MEMBER))]
)
def test_every_section_of_the_other_roles(
    visit: Callable[..., Visitor], wrong_with: Callable[[Visitor], list[str]], cast: Cast, role: Role
) -> None:
    visitor = visit(380)
    page = visitor.sign_in(cast.members[role])
    assert [fault for path in sections(page) for fault in look_at(visitor, path, wrong_with)] == []


@pytest.mark.parametrize(("width", "theme"), [(380, "light"), pytest.param(1440, "dark", marks=pytest.mark.full)])
def test_dialogs_are_accessible_too(
    visit: Callable[..., Visitor], faults_of: Callable[[Page], list[str]], cast: Cast, width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/api/")
    page.get_by_role("link", name="New key").first.click()
    page.get_by_role("dialog").wait_for()
    faults = faults_of(page)
    page.get_by_role("button", name="Make key").click()
    page.get_by_text("A key needs a name").wait_for()
    faults += faults_of(page)
    page.get_by_label("Name").fill("Website backend")
    page.get_by_role("button", name="Make key").click()
    page.get_by_text("Copy the key now").wait_for()
    faults += faults_of(page)
    assert faults + visitor.faults == []
