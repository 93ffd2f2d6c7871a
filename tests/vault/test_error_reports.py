"""Logs, exceptions and error pages tell where something failed, and never a decrypted value."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.utils import timezone
from django.views.debug import ExceptionReporter

from apps.accounts.models import Account, Membership
from apps.accounts.tenancy.scope import tenant
from apps.vault import selectors
from apps.vault.models import Contact
from apps.vault.services import contacts
from tests.factories import make_account, make_contact
from tests.vault.table import MARK

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01")]


@pytest.fixture
def ours(db: None) -> Account:
    return make_account()


def signed_in(account: Account) -> Client:
    client = Client(raise_request_exception=False)
    with tenant(account):
        client.force_login(Membership.objects.select_related("user").get().user)
    return client


@pytest.mark.parametrize("debug", [True, False])
def test_the_page_of_a_failed_request_holds_no_value(
    ours: Account, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    """A page fails with a decrypted row in its hands."""
    settings.DEBUG = debug
    made = make_contact(ours, name=MARK)
    opened = selectors._opened

    def fails(rows: Any, **options: Any) -> Any:
        found = opened(rows, **options)
        text = f"{found[0]}"
        assert MARK in text
        raise RuntimeError("planted by a test")

    monkeypatch.setattr(selectors, "_opened", fails)
    with caplog.at_level(logging.DEBUG):
        answer = signed_in(ours).get(f"/app/{ours.slug}/contacts/{made.id}/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    page = answer.content.decode()
    if debug:
        assert "planted by a test" in page
        assert "&lt;list of 1&gt;" in page
    assert MARK not in page
    assert MARK not in caplog.text


@pytest.mark.parametrize("debug", [True, False])
def test_the_page_of_a_failed_form_holds_nothing_that_was_posted(
    ours: Account, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    settings.DEBUG = debug

    def fails(contact: Contact, **options: Any) -> None:
        assert contact.name == MARK
        raise RuntimeError("planted by a test")

    monkeypatch.setattr(contacts, "_save", fails)
    client = signed_in(ours)
    with caplog.at_level(logging.DEBUG):
        answer = client.post(
            f"/app/{ours.slug}/contacts/new/", {"name": MARK, "contact_type": "lead"}, headers={"Accept": "text/html"}
        )
    assert answer.status_code == 500
    assert MARK not in answer.content.decode()
    assert MARK not in caplog.text


def test_the_report_names_kinds_and_ids(ours: Account) -> None:
    """As mails to administrators would have it: text and HTML."""
    secret, number, row, nothing = MARK, 7, make_contact(ours, name=MARK), None
    try:
        raise RuntimeError("planted by a test")
    except RuntimeError as error:
        reporter = ExceptionReporter(None, type(error), error, error.__traceback__)
    html, text = reporter.get_traceback_html(), reporter.get_traceback_text()
    assert MARK not in html + text
    assert f"&lt;str of {len(secret)}&gt;" in html
    assert str(row.id) in html
    assert number and nothing is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", f"{MARK}\ud800"),
        ("name", MARK.encode()),
        ("custom_attributes", {"k": f"{MARK}\udfff"}),
        ("custom_attributes", {MARK}),
        ("custom_attributes", {MARK: float("nan")}),
        ("custom_attributes", {"k": MARK.encode()}),
    ],
)
def test_what_can_not_be_sealed_is_not_named(
    ours: Account, name: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    contact = Contact(last_activity_at=timezone.now(), **{name: value})
    with (
        tenant(ours),
        caplog.at_level(logging.DEBUG),
        pytest.raises((TypeError, ValueError), match=f"Contact.{name} is encrypted") as refusal,
    ):
        contact.save()
    assert MARK not in str(refusal.value)
    assert MARK not in caplog.text


def test_a_refused_duplicate_is_not_named(ours: Account, caplog: pytest.LogCaptureFixture) -> None:
    make_contact(ours, email=f"{MARK}@mail.example")
    with pytest.raises(DatabaseError) as refusal, caplog.at_level(logging.DEBUG), transaction.atomic():
        make_contact(ours, email=f"{MARK}@mail.example")
    assert "contact_email_once" in str(refusal.value)
    assert MARK.lower() not in (str(refusal.value) + caplog.text).lower()
