"""The list of contacts and a contact's page, through their doors."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from apps.vault.pages import contacts
from apps.vault.services.contacts import create_contact, update_contact
from tests.factories import Cast, make_api_key, make_contact
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
PART = {"HX-Request": "true"}


def names(page: str) -> list[str]:
    return re.findall(r'class="rowlink ell" href="[^"]+">([^<]+)<', page)


def link(page: str, words: str) -> str:
    found = re.search(rf'<a class="btn btn-sm" rel="\w+" href="([^"]+)"[^>]*>{words}<', page)
    assert found, words
    return found[1].replace("&amp;", "&")


def people(cast: Cast, count: int) -> None:
    now = timezone.now()
    for number in range(count):
        make_contact(cast.account, name=f"P{number:02d}", last_activity_at=now - timedelta(minutes=number))


@pytest.mark.covers("V-02")
def test_the_latest_activity_comes_first_and_pages_neither_lose_nor_repeat_anybody(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "LIMIT", 3)
    people(cast, 8)
    client = as_role(Role.MEMBER)
    pages = [client.get(f"{base}contacts/").content.decode()]
    for _ in range(2):
        pages.append(client.get(link(pages[-1], "Next")).content.decode())
    assert [names(page) for page in pages] == [["P00", "P01", "P02"], ["P03", "P04", "P05"], ["P06", "P07"]]
    assert names(client.get(link(pages[2], "Previous")).content.decode()) == ["P03", "P04", "P05"]
    assert "Latest activity first. 3 of 8" in pages[0]


@pytest.mark.covers("V-02")
def test_by_name_from_a_to_z_also_across_pages(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "LIMIT", 2)
    for name in ("Zoë", "Émile", "anna", "Olaf"):
        make_contact(cast.account, name=name)
    client = as_role(Role.VIEWER)
    page = client.get(f"{base}contacts/?order=name").content.decode()
    assert names(page) == ["anna", "Émile"]
    assert names(client.get(link(page, "Next")).content.decode()) == ["Olaf", "Zoë"]


def test_too_many_to_list_by_name_are_listed_by_recency_and_told_so(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.vault.selectors.MOST_BY_NAME", 2)
    people(cast, 3)
    page = as_role(Role.MEMBER).get(f"{base}contacts/?order=name").content.decode()
    assert names(page) == ["P00", "P01", "P02"]
    assert "At most 2 contacts can be listed by name" in page


@pytest.mark.covers("V-02")
@pytest.mark.parametrize(
    "wanted", ["Ann@People.example", " ann@people.example ", "020 7946 0142", "+44 20 7946 0142", "CRM-7"]
)
def test_one_exact_value_finds_the_contact_however_it_is_written(
    as_role: AsRole, base: str, cast: Cast, wanted: str
) -> None:
    cast.account.default_region = "GB"
    with tenant(cast.account):
        cast.account.save()
    make_contact(cast.account, name="Ann", email="ann@people.example", phone="+442079460142", identifier="CRM-7")
    make_contact(cast.account, name="Other")
    page = as_role(Role.VIEWER).get(f"{base}contacts/", {"q": wanted}).content.decode()
    assert names(page) == ["Ann"]


def test_nothing_found_says_why_and_leads_back(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account, name="Ann")
    page = as_role(Role.MEMBER).get(f"{base}contacts/", {"q": "Ann"}).content.decode()
    assert names(page) == []
    assert "Nobody has exactly that" in page
    assert f'href="{base}contacts/">Show all contacts' in page


def test_types_are_counted_and_narrow_the_list(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account, name="Ann", contact_type="customer")
    make_contact(cast.account, name="Ben", contact_type="customer")
    make_contact(cast.account, name="Lea", contact_type="lead")
    client = as_role(Role.VIEWER)
    page = client.get(f"{base}contacts/").content.decode()
    assert re.search(r"Customers <span[^>]*>2<", page)
    assert "Partners" not in page
    assert set(names(client.get(f"{base}contacts/?type=customer").content.decode())) == {"Ann", "Ben"}


def test_counts_of_large_accounts_are_kept_for_a_while(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.vault.contact_figures.EXACT_UP_TO", 1)
    people(cast, 2)
    client = as_role(Role.VIEWER)
    assert "2 people" in client.get(f"{base}contacts/").content.decode()
    make_contact(cast.account)
    assert "2 people" in client.get(f"{base}contacts/").content.decode()


def test_htmx_gets_the_results_alone_and_a_clean_address(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account, name="Ann")
    answer = as_role(Role.VIEWER).get(f"{base}contacts/?q=&order=recent", headers=PART)
    page = answer.content.decode()
    assert "<html" not in page and names(page) == ["Ann"]
    assert answer.headers["HX-Push-Url"] == f"{base}contacts/"
    assert 'id="types"' in page and 'hx-swap-oob="true"' in page


def test_an_old_or_forged_cursor_begins_at_the_beginning(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account, name="Ann")
    assert names(as_role(Role.VIEWER).get(f"{base}contacts/?cursor=AAAA").content.decode()) == ["Ann"]


def test_an_empty_account_says_how_contacts_come(as_role: AsRole, base: str) -> None:
    page = as_role(Role.MEMBER).get(f"{base}contacts/").content.decode()
    assert "No contacts yet" in page and f"{base}contacts/new/" in page
    page = as_role(Role.VIEWER).get(f"{base}contacts/").content.decode()
    assert "No contacts yet" in page and f"{base}contacts/new/" not in page


@pytest.mark.covers("V-02")
def test_a_contacts_page_shows_all_of_it_escaped(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(
        cast.account,
        name="<b>Ann</b>",
        phone="+442079460142",
        identifier="CRM-7",
        custom_attributes={"city": "Mölndal", "rent": 1840, "pets": ["cat", "dog"], "lease": {"until": "<i>2027</i>"}},
    )
    page = as_role(Role.VIEWER).get(f"{base}contacts/{ann.pk}/").content.decode()
    for words in ("&lt;b&gt;Ann", "+44 20 7946 0142", "CRM-7", "Mölndal", "1840", "cat, dog", "&lt;i&gt;2027"):
        assert words in page
    assert "<b>Ann" not in page and "<i>2027" not in page


@pytest.mark.covers("A-05")
def test_viewers_see_values_and_no_buttons(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(cast.account, name="Ann")
    for role, shown in ((Role.VIEWER, False), (Role.MEMBER, True)):
        page = as_role(role).get(f"{base}contacts/{ann.pk}/").content.decode()
        assert ("/edit/" in page) == shown
        assert ("/delete/" in page) == shown
        assert ("contacts/new/" in as_role(role).get(f"{base}contacts/").content.decode()) == shown


@pytest.mark.covers("V-06")
def test_the_history_of_a_contact_is_told_to_those_who_may_read_the_trail(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    with tenant(cast.account):
        ann = create_contact(actor=owner(cast.account), name="Ann", email="ann@people.example")
        update_contact(ann, actor=owner(cast.account), email="other@people.example", contact_type="partner")
    page = as_role(Role.ADMIN).get(f"{base}contacts/{ann.pk}/").content.decode()
    text = re.sub(r"<[^>]+>", "", page)
    assert "Alice changed the e-mail and type of Ann" in text
    assert "Alice added the contact Ann" in text
    assert f"{base}audit/?entity=contact:{ann.pk}" in page
    assert ">History<" not in as_role(Role.MEMBER).get(f"{base}contacts/{ann.pk}/").content.decode()


@pytest.mark.covers("V-02")
def test_deleting_needs_the_name_and_leaves_no_contact(as_role: AsRole, base: str, cast: Cast) -> None:
    ann = make_contact(cast.account, name="Ann  Marie")
    client, address = as_role(Role.MEMBER), f"{base}contacts/{ann.pk}/delete/"
    assert "Type <b" in client.get(address, headers=PART).content.decode()
    refused = client.post(address, {"name": "ann marie"}, headers=PART)
    assert refused.status_code == 422
    assert "That is not what this contact is called" in refused.content.decode()
    done = client.post(address, {"name": " Ann Marie"}, headers=PART)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"{base}contacts/")
    with tenant(cast.account):
        assert not Contact.objects.filter(pk=ann.pk).exists()
    assert client.get(f"{base}contacts/{ann.pk}/").status_code == 404
    assert "Ann  Marie is deleted." in client.get(f"{base}contacts/").content.decode()


def test_somebody_without_a_name_is_called_by_what_there_is(as_role: AsRole, base: str, cast: Cast) -> None:
    nobody = make_contact(cast.account, name=None, email=None, phone="+442079460142")
    page = as_role(Role.MEMBER).get(f"{base}contacts/{nobody.pk}/delete/").content.decode()
    assert "Delete +44 20 7946 0142?" in page


@pytest.mark.parametrize(
    "path", ["", "members/", "settings/", "api/", "ai/", "audit/", "contacts/", "contacts/{}/", "contacts/?q=nobody"]
)
def test_a_suspended_account_offers_nothing_that_would_be_refused(
    as_role: AsRole, base: str, cast: Cast, path: str
) -> None:
    ann = make_contact(cast.account, name="Ann")
    make_api_key(cast.account, name="Phone system")
    client = as_role(Role.OWNER)
    with tenant(cast.account):
        Account.objects.update(status=Account.Status.SUSPENDED)
    page = client.get(base + path.format(ann.pk)).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert "is read-only" in main
    assert 'method="post"' not in main and "btn-bad" not in main
    assert not {word for word in ("Edit<", "New contact", "New key", "Import<", "Turn on") if word in main}
