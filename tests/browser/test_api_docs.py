"""The API's documentation page: complete, quiet under the strict policy, and good for trying things out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.factories import Cast, make_cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.covers("A-10")]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return make_cast()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_shows_every_operation_without_a_complaint_of_the_browser(visit: Callable[..., Any], theme: str) -> None:
    visitor = visit(theme=theme)
    page = visitor.open("/api/v1/docs/")
    page.get_by_text("Strongroom API").first.wait_for()
    operations = page.locator(".opblock")
    operations.first.wait_for()
    described = page.request.get(f"{visitor.base}/api/v1/schema").json()["paths"]
    assert operations.count() == sum(len(methods) for methods in described.values())
    page.locator("#operations-contacts-contacts_create .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").wait_for()
    assert visitor.faults == []


def test_a_signed_in_person_makes_a_contact_there(visit: Callable[..., Any], people: Cast) -> None:
    visitor = visit()
    visitor.come_signed_in(people.members[Role.MEMBER])
    page = visitor.open("/api/v1/docs/")
    page.locator("#operations-contacts-contacts_create .opblock-summary-control").click()
    page.locator("#operations-contacts-contacts_create textarea").fill('{"name": "From the docs"}')
    page.get_by_role("button", name="Execute").click()
    page.locator("#operations-contacts-contacts_create .live-responses-table .response-col_status").get_by_text(
        "201"
    ).wait_for()
    with tenant(people.account):
        assert Contact.objects.get().name == "From the docs"
    assert visitor.faults == []
