"""The admin in a real browser: enrolling and signing in with real codes, every screen, and a key that hides itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect

from apps.accounts.admin.site import site
from apps.accounts.models import Account, User
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from tests.accounts.signin.people import code, enrol, super_admin
from tests.factories import PASSWORD, make_account, make_contact

pytestmark = [pytest.mark.browser, pytest.mark.covers("A-04"), pytest.mark.django_db(transaction=True)]

KEY = "zdb_0123456789abcdef7Qd2m9Xk"
SIZES = [
    (1440, "light"),
    (380, "dark"),
    *(pytest.param(*other, marks=pytest.mark.full) for other in [(1440, "dark"), (380, "light")]),
]


def shown_by_app(secret: str) -> str:
    """What an authenticator app that holds ``secret`` shows now (a used code stands for the next half minute)."""
    cache.clear()
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def open_admin(visitor: Any, user: User) -> Any:
    page = visitor.sign_in(user)
    page.get_by_label("Code").fill(code())
    page.wait_for_url("**/admin/")  # six digits send themselves
    return page


def with_project() -> Account:
    account = make_account("Harbour & Pine")
    make_contact(account, name="Ann Other", email="ann@secret.example")
    with tenant(account):
        project = AINativeProject.objects.get()
        project.take_credentials("prj_8f31c0d2", KEY)
        project.status = AINativeProject.Status.READY
        project.save()
    return account


@pytest.mark.covers("A-03")
def test_a_super_admin_enrols_an_app_and_gets_in_with_its_code(visit: Callable[..., Any]) -> None:
    rita = super_admin()
    visitor = visit()
    page = visitor.sign_in(rita)
    page = visitor.open("/admin/")
    assert "/accounts/2fa/" in page.url
    page = visitor.open("/accounts/2fa/totp/activate/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_label("Code")).to_be_visible()
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.content())
    assert secret
    page.get_by_label("Code").fill(shown_by_app(secret.group(0)))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url(lambda url: "/activate/" not in url)
    page = visitor.open("/admin/")
    assert "/accounts/2fa/reauthenticate/" in page.url
    page.get_by_label("Code").fill(shown_by_app(secret.group(0)))
    page.wait_for_url("**/admin/")
    assert page.get_by_text("Second factor verified").is_visible()
    assert visitor.faults == []


@pytest.mark.covers("O-05")
@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_every_screen_fits_and_complains_about_nothing(visit: Callable[..., Any], width: int, theme: str) -> None:
    rita = super_admin()
    enrol(rita)
    account = with_project()
    visitor = visit(width=width, theme=theme)
    open_admin(visitor, rita)
    query = f"?account__id__exact={account.pk}"
    addresses = [
        "/admin/",
        reverse("admin:accounts_account_change", args=[account.pk]),
        *(
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            + (query if hasattr(model, "account") else "")
            for model in site._registry
        ),
    ]
    for address in addresses:
        page = visitor.open(address)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{address} scrolls sideways by {over}"
        assert page.locator("h1").count() == 1, address
        assert "ann@secret.example" not in page.content()
    assert visitor.faults == []


@pytest.mark.covers("P-04")
def test_a_revealed_key_hides_itself(visit: Callable[..., Any]) -> None:
    rita = super_admin()
    enrol(rita)
    account = with_project()
    visitor = visit()
    visitor.page.clock.install()
    open_admin(visitor, rita)
    page = visitor.open(reverse("admin:accounts_account_change", args=[account.pk]))
    assert page.get_by_text("••••••••7Qd2m9Xk").is_visible()
    page.get_by_role("link", name="Reveal…").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Reveal for 30 seconds").click()
    shown = page.locator("#revealed-key")
    assert shown.inner_text() == KEY
    page.clock.fast_forward(29_000)
    assert shown.inner_text() == KEY
    page.clock.fast_forward(2_000)
    assert shown.inner_text() == "Hidden again."
    assert KEY not in page.content()
    assert visitor.faults == []
