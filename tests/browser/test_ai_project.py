"""The AI project's page in a real browser: every state, each role, and the page that follows by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from tests.browser.conftest import Visitor
from tests.factories import Cast
from tests.integrations.pages.test_ai_page import make_ready, put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("P-02")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]
Status = AINativeProject.Status
REFUSED = "402 from AINative: quota reached. The operator raises the plan."


def test_every_state_from_waiting_to_ready(visit: Visit, wrong_with: WrongWith, cast: Cast) -> None:
    visitor = visit(380, "light")
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    expect(page.get_by_text("Your AI project is being set up")).to_be_visible()
    faults = wrong_with(visitor)
    put(cast, Status.PENDING, error="The AI service does not answer.")
    with tenant(cast.account):
        Job.objects.update(attempts=3, next_attempt_at=timezone.now() + timedelta(hours=3))
    expect(page.get_by_text("The next try comes by itself")).to_be_visible()
    faults += wrong_with(visitor)
    put(cast, Status.FAILED, error=REFUSED)
    with tenant(cast.account):
        Job.objects.update(status=Job.Status.FAILED)
    page.reload()
    expect(page.get_by_text(REFUSED)).to_be_visible()
    faults += wrong_with(visitor)
    put(cast, Status.SUSPENDED, error="")
    page.reload()
    expect(page.get_by_text("The AI project is suspended")).to_be_visible()
    faults += wrong_with(visitor)
    make_ready(cast)
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert faults + wrong_with(visitor) == []


def test_an_admin_tries_again_and_saves_by_keyboard_and_the_page_follows(visit: Visit, cast: Cast) -> None:
    put(cast, Status.FAILED, error=REFUSED)
    with tenant(cast.account):
        Job.objects.update(status=Job.Status.FAILED)
    visitor = visit()
    visitor.come_signed_in(cast.members[Role.ADMIN])
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    page.get_by_role("button", name="Try now").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("It is being tried now.")
    make_ready(cast)
    switch = page.get_by_label("Index new messages automatically")
    expect(switch).to_be_checked()  # the page reloaded itself
    switch.press("Space")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(switch).not_to_be_checked()
    assert "a-secret-key" not in page.content()
    assert visitor.faults == []


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_who_may_not_change_it_reads_it_as_text(visit: Visit, wrong_with: WrongWith, cast: Cast, role: Role) -> None:
    make_ready(cast)
    visitor = visit(380, "dark")
    visitor.come_signed_in(cast.members[role])
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    expect(page.get_by_text("New messages are indexed automatically", exact=True)).to_be_visible()
    assert page.locator("#main form, #main input, #main select").count() == 0
    assert wrong_with(visitor) == []
