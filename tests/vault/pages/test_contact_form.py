"""Adding and changing contacts on the page: what people type survives, and every fault names its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.factories import Cast, make_contact

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
PART = {"HX-Request": "true"}


def stored(cast: Cast, contact_id: Any) -> Contact:
    with tenant(cast.account):
        found: Contact = Contact.objects.get(pk=contact_id)
        return found


def fields(page: str) -> dict[str, list[str]]:
    """What a browser would send of the form as it stands."""
    form = page[page.index("novalidate") :]
    found: dict[str, list[str]] = {}
    pattern = r'<input[^>]* name="(\w+)"(?: value="([^"]*)")?|<textarea[^>]* name="(\w+)"[^>]*>\n?([^<]*)<'
    for name, value, area, text in re.findall(pattern, form):
        raw = (value or text).replace("&quot;", '"').replace("&amp;", "&").replace("&#x27;", "'")
        found.setdefault(name or area, []).append(raw)
    kind = re.search(r'<option value="(\w+)" selected>', form)
    return {**found, "contact_type": [kind[1] if kind else ""]}


def error_of(page: str, field: str) -> str:
    found = re.search(rf'id="id_{field}_error">.*?<span>(.*?)</span>', page, re.DOTALL)
    return found[1] if found else ""


@pytest.mark.covers("V-02")
def test_a_new_contact_is_saved_as_it_is_stored_everywhere(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    with tenant(cast.account):
        cast.account.default_region = "GB"
        cast.account.save()
    answer = client.post(
        f"{base}contacts/new/",
        {
            "name": " Zoë Fairweather ",
            "email": "zoe@mail.example",
            "phone": "020 7946 0142",
            "contact_type": "customer",
            "attribute_name": ["city", "", "flat"],
            "attribute_value": ["Leith", "", "4"],
        },
    )
    contact = stored(cast, UUID(answer.headers["Location"].split("/")[-2]))
    assert (contact.name, contact.phone, contact.contact_type) == ("Zoë Fairweather", "+442079460142", "customer")
    assert contact.custom_attributes == {"city": "Leith", "flat": "4"}
    assert "Zoë Fairweather is in your contacts." in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.covers("V-02")
def test_a_refused_form_names_field_and_rule_and_keeps_what_was_typed(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account, email="taken@mail.example")
    answer = as_role(Role.MEMBER).post(
        f"{base}contacts/new/",
        {
            "name": "Zoë",
            "email": "taken@mail.example",
            "phone": "call office",
            "contact_type": "lead",
            "attribute_name": ["note"],
            "attribute_value": ['says "hello"'],
        },
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert error_of(page, "phone") == "This is not a phone number. Write it as +44 20 7946 0142."
    sent = fields(page)
    assert (sent["name"], sent["phone"], sent["attribute_value"]) == (["Zoë"], ["call office"], ['says "hello"'])
    sent["phone"] = [""]
    page = as_role(Role.MEMBER).post(f"{base}contacts/new/", sent).content.decode()
    assert error_of(page, "email") == "Another contact has this e-mail."


def test_somebody_must_be_told_apart_somehow(as_role: AsRole, base: str) -> None:
    page = as_role(Role.MEMBER).post(f"{base}contacts/new/", {"contact_type": "lead"}).content.decode()
    assert error_of(page, "name") == "Give a name, an e-mail, a phone number or an identifier."


@pytest.mark.covers("V-02")
def test_saving_without_a_change_changes_nothing_not_even_types(as_role: AsRole, base: str, cast: Cast) -> None:
    attributes = {"rent": 1840, "vip": True, "none": None, "lease": {"until": 2027}, "note": "two\nlines", "id": "007"}
    ann = make_contact(cast.account, name="Ann", phone="+442079460142", custom_attributes=attributes)
    client = as_role(Role.MEMBER)
    page = client.get(f"{base}contacts/{ann.pk}/edit/").content.decode()
    answer = client.post(f"{base}contacts/{ann.pk}/edit/", fields(page))
    assert answer.status_code == 302
    after = stored(cast, ann.pk)
    assert after.custom_attributes == attributes
    assert after.updated_at == ann.updated_at


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (1840, "1900", 1900),
        (1840, "on request", "on request"),
        (True, "false", False),
        ("007", "008", "008"),
        ({"a": 1}, '{"a": 2}', {"a": 2}),
        (["cat"], '["cat", "dog"]', ["cat", "dog"]),
    ],
)
def test_a_changed_attribute_keeps_its_type_where_it_can(
    as_role: AsRole, base: str, cast: Cast, before: Any, text: str, after: Any
) -> None:
    ann = make_contact(cast.account, name="Ann", custom_attributes={"x": before})
    body = {"name": "Ann", "contact_type": "lead", "attribute_name": ["x"], "attribute_value": [text]}
    assert as_role(Role.MEMBER).post(f"{base}contacts/{ann.pk}/edit/", body).status_code == 302
    assert stored(cast, ann.pk).custom_attributes == {"x": after}


@pytest.mark.parametrize(
    ("names", "values", "words"),
    [
        (["a", "a"], ["1", "2"], "Two attributes are called “a”."),
        ([""], ["lost"], "Name the attribute whose value is “lost”"),
        (["lease"], ["{until"], "“lease” has parts, so its value must be JSON"),
        (["n" * 101], ["1"], "Names of custom attributes have 1 to 100 characters"),
    ],
)
def test_rows_that_contradict_themselves_are_told_and_kept(
    as_role: AsRole, base: str, cast: Cast, names: list[str], values: list[str], words: str
) -> None:
    ann = make_contact(cast.account, name="Ann", custom_attributes={"lease": {"until": 2027}})
    body = {"name": "Ann", "contact_type": "lead", "attribute_name": names, "attribute_value": values}
    answer = as_role(Role.MEMBER).post(f"{base}contacts/{ann.pk}/edit/", body)
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page
    assert fields(page)["attribute_name"] == names
    assert stored(cast, ann.pk).custom_attributes == {"lease": {"until": 2027}}


def test_rows_come_and_go_without_a_script_and_nothing_is_saved_by_that(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(cast.account, name="Ann", custom_attributes={"city": "Leith", "flat": "4"})
    client, address = as_role(Role.MEMBER), f"{base}contacts/{ann.pk}/edit/"
    typed = {**fields(client.get(address).content.decode()), "name": ["Annabel"]}
    more = fields(client.post(address, {**typed, "more": "1"}).content.decode())
    assert (more["name"], more["attribute_name"]) == (["Annabel"], ["city", "flat", "", ""])
    fewer = client.post(address, {**more, "remove": "0"}, headers=PART).content.decode()
    assert "<html" not in fewer and 'value="city"' not in fewer and 'value="flat"' in fewer
    assert stored(cast, ann.pk).name == "Ann"


@pytest.mark.covers("V-02")
def test_nobody_overwrites_unseen_what_somebody_else_saved(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(cast.account, name="Ann", email="ann@mail.example")
    address = f"{base}contacts/{ann.pk}/edit/"
    first, second = as_role(Role.MEMBER), as_role(Role.ADMIN)
    mine, theirs = (fields(client.get(address).content.decode()) for client in (first, second))
    assert second.post(address, {**theirs, "email": "new@mail.example"}).status_code == 302
    told = first.post(address, {**mine, "name": "Annabel"})
    page = told.content.decode()
    assert told.status_code == 422 and "Somebody changed this contact after you opened it" in page
    assert "new@mail.example" in page and fields(page)["email"] == ["ann@mail.example"]
    # A fault in between must not make the warning worth nothing.
    assert first.post(address, {**mine, "phone": "x"}).status_code == 422
    assert first.post(address, {**mine}).status_code == 422
    assert stored(cast, ann.pk).email == "new@mail.example"
    assert first.post(address, fields(page)).status_code == 302
    assert (stored(cast, ann.pk).name, stored(cast, ann.pk).email) == ("Annabel", "ann@mail.example")


@pytest.mark.covers("A-05")
def test_a_viewer_gets_no_form(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(cast.account, name="Ann")
    client = as_role(Role.VIEWER)
    for path in ("contacts/new/", f"contacts/{ann.pk}/edit/", f"contacts/{ann.pk}/delete/"):
        assert client.get(base + path).status_code == 403
        assert client.post(base + path, {"name": "Ann", "contact_type": "lead"}).status_code == 403
    assert stored(cast, ann.pk).name == "Ann"
