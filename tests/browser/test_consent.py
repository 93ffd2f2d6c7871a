"""Connecting by consent in a browser: to the service and back, yes and no, and what the pages look like meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.factories import Cast
from tests.integrations.oauth.conftest import OWN, connection_of, live_at
from tests.stand_ins.oidc import OpenIdProvider, openid_provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("I-09")]


@pytest.fixture
def service(live_server: Any, settings: LazySettings) -> Iterator[OpenIdProvider]:
    settings.BASE_URL = live_server.url
    with openid_provider(f"{live_server.url}/integrations/oauth/callback/") as running:
        live_at(settings, running)
        yield running


def sign_in_there(page: Page) -> None:
    page.fill('input[name="login"]', "zoe")
    page.fill('input[name="password"]', "any")
    page.click('button[type="submit"]')


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_to_the_service_and_back(
    service: OpenIdProvider,
    cast: Cast,
    visit: Callable[..., Visitor],
    wrong_with: Callable[[Visitor], list[str]],
    width: int,
    theme: str,
) -> None:
    row = connection_of(cast, OWN)
    visitor = visit(width=width, theme=theme)
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/integrations/{row.pk}/")
    page.get_by_role("link", name="Connect Salesforce").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Salesforce")
    assert wrong_with(visitor) == []
    # No
    page.get_by_role("link", name="Continue to Salesforce").click()
    page.wait_for_url(f"{service.origin}/**")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You said no")
    visitor.faults.clear()  # of the service's own pages, which load fonts from elsewhere
    assert wrong_with(visitor) == []
    # Yes
    page.get_by_role("link", name="Begin again").click()
    page.get_by_role("link", name="Continue to Salesforce").click()
    page.wait_for_url(f"{service.origin}/**")
    sign_in_there(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Salesforce is connected")
    expect(page.get_by_role("main")).to_contain_text("zoe@service.example")
    visitor.faults.clear()
    assert wrong_with(visitor) == []
    # And back
    page.get_by_role("link", name="Go to the connection").click()
    expect(page.get_by_role("main")).to_contain_text("Connected")
    page.get_by_role("link", name="Disconnect Salesforce").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("link", name="Connect Salesforce")).to_be_visible()
