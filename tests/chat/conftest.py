"""An account whose AI project is ready, and things said in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation
from apps.chat.services.conversations import lock_conversation, open_conversation
from apps.chat.services.messages import receive_message
from tests.factories import make_account, make_contact
from tests.working import work_off

SYSTEM = Actor.system("test")


@pytest.fixture
def account() -> Account:
    account = make_account("Harbour & Pine")
    assert work_off(account, "project.provision") == ["done"]
    return account


Say = Callable[..., Conversation]


@pytest.fixture
def say() -> Say:
    """Begin a conversation with these messages of the customer."""

    def begin(account: Account, *texts: str) -> Conversation:
        contact = make_contact(account)
        with tenant(account):
            conversation = open_conversation(actor=SYSTEM, contact=contact)
            for text in texts:
                receive_message(lock_conversation(conversation.pk), text, actor=SYSTEM)
        return conversation

    return begin
