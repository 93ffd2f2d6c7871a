"""One real browser for all tests of a worker: Playwright's loop can run once in a process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.bring_up import PACKAGE, chromium

# Playwright's loop runs in this thread; Django takes that for asynchronous code and would refuse the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PATIENCE = 60_000
"""Milliseconds to wait for what must come to a page: a busy machine is slow, and none are lost when it comes."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the machine (`make test` brings Debian's)."""
    path = chromium()
    assert path, f"no browser: `make test` installs one as root; otherwise apt-get install {PACKAGE}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
