"""How to make one object of each kind that an address can name (for ``of=`` in routes.py).

Each maker runs in the account's scope, in the name of its owner.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.actors import Actor
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Job, Membership, User
from apps.accounts.roles import Role
from apps.accounts.services.api_keys import create_api_key
from apps.accounts.services.invitations import invite
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import CannedResponse, ContactMemory, Conversation
from apps.chat.services.attachments import attach
from apps.chat.services.canned_responses import create_canned_response
from apps.chat.services.conversations import open_conversation
from apps.chat.services.inboxes import create_inbox
from apps.chat.services.labels import create_label
from apps.chat.services.messages import send_reply
from apps.integrations.services.connections import connect
from apps.vault.services.contact_imports import import_contacts, open_import
from apps.vault.tokens import Grant, store
from tests.factories import make_contact, make_user


def owner(account: Account) -> Actor:
    """The account's owner, as an actor."""
    return Actor.member(Membership.objects.select_related("user").filter(role=Role.OWNER).earliest("created_at"))


def a_membership(account: Account) -> Any:
    return Membership.objects.create(user=make_user(), role=Role.VIEWER)


def an_invitation(account: Account) -> Any:
    return invite(account=account, email=f"{uuid4().hex}@guests.example", role=Role.MEMBER, actor=owner(account))


def an_api_key(account: Account) -> Any:
    return create_api_key(actor=owner(account), name="of the owner", role=Role.MEMBER).row


def an_integration(account: Account) -> Any:
    key = {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"}
    name = uuid4().hex
    return connect(actor=owner(account), category="payment", provider_name="stripe", name=name, credentials=key)


def a_connection_by_consent(account: Account) -> Any:
    own = {"client_id": "1000.client", "client_secret": "client-secret"}
    row = connect(actor=owner(account), category="crm", provider_name="zoho", name=uuid4().hex, credentials=own)
    store(f"integration:{row.id}", Grant("access", "refresh"), actor=owner(account))
    return row


def a_token(account: Account) -> Any:
    return store(f"test:{uuid4().hex}", Grant("access", "refresh"), actor=owner(account)).kind


def a_contact(account: Account) -> Any:
    return make_contact(account)


def a_contact_called_ann(account: Account) -> Any:
    return make_contact(account, name="Ann")


def a_contact_import(account: Account) -> Any:
    content = [b"Name,E-mail\nAnn,ann@people.example\n"]
    return open_import(actor=owner(account), file_name="people.csv", content=content)


def a_job(account: Account) -> Any:
    return Job.objects.create(kind="test.nothing")


def a_limit(account: Account) -> Any:
    return set_limit(actor=owner(account), amount=Decimal(10), measure="quantity", unit=uuid4().hex)


def a_session(user: User) -> Any:
    return UserSession.objects.create(user=user, ip="192.0.2.1", session_key=uuid4().hex, user_agent="Mozilla/5.0")


def a_list_of_contacts(account: Account) -> Any:
    return {"file": SimpleUploadedFile("people.csv", b"Name,E-mail\nAnn,ann@people.example\n")}


def a_started_import(account: Account) -> Any:
    content = [b"Name,E-mail\nAnn,ann@people.example\n"]
    return import_contacts(actor=owner(account), file_name="people.csv", content=content)


def an_inbox(account: Account) -> Any:
    return create_inbox(actor=owner(account), name=uuid4().hex)


def a_label(account: Account) -> Any:
    return create_label(actor=owner(account), name=uuid4().hex)


def a_canned_response(account: Account) -> Any:
    return create_canned_response(actor=owner(account), short_code=uuid4().hex, content="Thank you!")


def a_question(account: Account) -> Any:
    """A conversation, and a canned response for ``the_choice_of_a_reply``."""
    a_canned_response(account)
    return a_conversation(account)


def the_choice_of_a_reply(account: Account) -> dict[str, Any]:
    with tenant(account):
        found = CannedResponse.objects.first()
    return {"canned_response": str(found.pk if found else uuid4()), "choice": "accepted"}


def a_message(account: Account) -> Any:
    """In the conversation that was made for the same address."""
    return send_reply(Conversation.objects.latest("id"), "Good morning", actor=owner(account))


def an_attachment(account: Account) -> Any:
    file = SimpleUploadedFile("parcel.txt", b"Left at the door.")
    return attach(a_message(account), [file], actor=owner(account))[0]


def a_file_to_attach(account: Account) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("parcel.txt", b"Left at the door.")}


def a_conversation(account: Account) -> Any:
    return open_conversation(actor=owner(account), contact=make_contact(account), subject="A parcel")


def a_memory(account: Account) -> Any:
    return ContactMemory.objects.create(contact=make_contact(account), content="Prefers e-mail")
