"""A real Chromium against the product, served from this process over a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from apps.accounts.models import User
from tests.chromium import PATIENCE
from tests.factories import PASSWORD
from tests.node import package


@dataclass
class Visitor:
    """Somebody at a browser. ``faults`` is what the browser complained about: script errors, refused loads."""

    context: BrowserContext
    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def sign_in(self, user: User, password: str = PASSWORD) -> Page:
        page = self.open("/accounts/login/")
        page.get_by_label("E-mail").fill(user.email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    def come_signed_in(self, user: User, password: str = PASSWORD) -> None:
        """Signed in through the same door, but before the browser is there: it draws neither the form nor the page
        after it, which the tests of signing in look at."""
        client = Client()
        answer = client.post("/accounts/login/", {"login": user.email, "password": password})
        assert answer.status_code == 302, answer.content
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.base}])


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """Make a visitor: ``visit(width=380, theme="dark")``."""
    made: list[Visitor] = []

    def make(width: int = 1440, theme: str = "light", *, base: str = "", **options: Any) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(context, context.new_page(), base or live_server.url)
        visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
        visitor.page.on(
            "console",
            lambda message: (
                visitor.faults.append(message.text)
                # A refused form answers 4xx on purpose; the browser reports it, and it is no fault.
                # This server speaks HTTP alone: pages do without their socket (test_live.py has one that speaks both).
                if message.type == "error"
                and "status of 4" not in message.text
                and "WebSocket connection to" not in message.text
                else None
            ),
        )
        made.append(visitor)
        return visitor

    yield make
    for visitor in made:
        visitor.context.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The accessibility checker's script."""
    return (package("axe-core") / "axe.min.js").read_text()


@pytest.fixture
def faults_of(axe_source: str) -> Callable[[Page], list[str]]:
    """What axe (WCAG 2.2 A and AA) finds wrong with the page as it stands."""

    def check(page: Page) -> list[str]:
        page.evaluate(axe_source)
        found = page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        return [
            f"{rule['id']}: {rule['help']}: {node['html'][:160]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    return check


@pytest.fixture
def wrong_with(faults_of: Callable[[Page], list[str]]) -> Callable[[Visitor], list[str]]:
    """What is wrong with the page a visitor sees: accessibility, width, headings, the browser's complaints."""

    def check(visitor: Visitor) -> list[str]:
        page = visitor.page
        faults = [f"axe {fault}" for fault in faults_of(page)]
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if beyond > 0:
            faults.append(f"{beyond} px wider than the window")
        if page.locator("h1").count() != 1:
            faults.append(f"{page.locator('h1').count()} h1")
        faults += visitor.faults
        visitor.faults.clear()
        return [f"{page.url.removeprefix(visitor.base)}: {fault}" for fault in faults]

    return check
