"""An account with canned responses and facts about a contact."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.chat.services.canned_responses import create_canned_response
from apps.chat.services.memories import remember
from apps.integrations.models import AINativeProject
from tests.chat.conftest import SYSTEM
from tests.factories import make_contact

OTHER = "sentence-transformers/all-MiniLM-L6-v2"
REPLIES = {
    "refund": "Your money is on its way back to your card. It takes five to ten working days to show.",
    "parcel": "Your parcel left our warehouse. You can follow it with the tracking number in your e-mail.",
    "opening-hours": "Our shop is open from nine to five, Monday to Saturday.",
}
FACTS = ("Allergic to nuts.", "Prefers e-mail to the phone.", "Lives on a narrowboat.")


@pytest.fixture
def stocked(account: Account) -> Account:
    """The account, with REPLIES and FACTS whose vectors were never made."""
    contact = make_contact(account, name="Ann")
    with tenant(account):
        for code, text in REPLIES.items():
            create_canned_response(actor=SYSTEM, short_code=code, content=text)
        for fact in FACTS:
            remember(contact, actor=SYSTEM, content=fact)
    return account


def choose_model(account: Account, model: str) -> None:
    with tenant(account):
        project = AINativeProject.objects.get()
        project.settings = {**project.settings, "embeddings_model": model}
        project.save()


def reindex(*arguments: str) -> str:
    out = StringIO()
    call_command("reindex", *arguments, stdout=out, stderr=out)
    return out.getvalue()
