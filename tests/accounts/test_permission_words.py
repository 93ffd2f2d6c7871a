"""Those who may not do something read what it is, and who may."""

from __future__ import annotations

import pytest
from django.utils.html import escape

from apps.accounts.permission_words import LABELS, who_may
from apps.accounts.permissions import ACTIONS
from apps.accounts.roles import Role
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast

pytestmark = pytest.mark.covers("A-05")


def test_every_action_has_words_and_no_words_are_left_over() -> None:
    assert set(LABELS) == set(ACTIONS)
    for action in ACTIONS:
        assert " is " in LABELS[action] or " are " in LABELS[action], action


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("integrations.view", "Integrations are managed by owners and admins of Acme."),
        ("contacts.import", "Contacts are imported by owners, admins and members of Acme."),
        ("account.delete", "The account is deleted by owners of Acme."),
        ("prices.manage", "Prices are managed by the operator only."),
    ],
)
def test_who_may_is_said_in_a_sentence(action: str, words: str) -> None:
    assert who_may(action, "Acme") == words


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
@pytest.mark.parametrize("path", ["integrations/", "integrations/connect/", "usage/", "audit/"])
def test_a_page_that_is_not_for_the_role_names_what_it_lacks(cast: Cast, role: Role, path: str) -> None:
    page = signed_in(cast.members[role]).get(f"/app/{cast.account.slug}/{path}")
    text = page.content.decode()
    assert page.status_code == 403
    assert escape(f"by owners and admins of {cast.account.name}.") in text
    assert f"Your role there is {role.label.lower()}." in text
