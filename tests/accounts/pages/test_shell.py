"""What stands around every page: sections by role, accounts, theme, times, errors."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory

from apps.accounts.models import Account, User
from apps.accounts.pages import errors
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast, add_member

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
BROWSER = {"Accept": "text/html"}


def sections(page: str) -> list[str]:
    bar = re.search(r'<nav aria-label="Sections">(.*?)</nav>', page, re.DOTALL)
    assert bar
    return re.findall(r"<span>([^<]+)</span>", bar[1])


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", list(Role))
def test_every_section_in_the_bar_opens_for_the_role_that_sees_it(as_role: AsRole, base: str, role: Role) -> None:
    client = as_role(role)
    page = client.get(base).content.decode()
    bar = re.search(r'<nav aria-label="Sections">(.*?)</nav>', page, re.DOTALL)
    assert bar
    for address in re.findall(r'href="([^"]+)"', bar[1]):
        assert client.get(address).status_code == 200, address
    assert ("API keys" in sections(page)) == (role != Role.VIEWER)


@pytest.mark.covers("A-06")
def test_the_switcher_lists_exactly_the_accounts_one_is_in(base: str, cast: Cast) -> None:
    page = signed_in(cast.bob).get(base).content.decode()
    assert cast.stranger_account.name not in page
    add_member(cast.stranger_account, Role.VIEWER, cast.bob)
    page = signed_in(cast.bob).get(base).content.decode()
    assert f'href="/app/{cast.stranger_account.slug}/"' in page


@pytest.mark.covers("A-06")
def test_home_leads_to_the_account_one_was_in_last(base: str, cast: Cast) -> None:
    add_member(cast.stranger_account, Role.VIEWER, cast.bob)
    client = signed_in(cast.bob)
    for slug in (cast.stranger_account.slug, cast.account.slug):
        client.get(f"/app/{slug}/")
        assert client.get("/", headers=BROWSER).headers["Location"] == f"/app/{slug}/"


@pytest.mark.covers("A-06")
def test_somebody_in_no_account_makes_one(cast: Cast) -> None:
    lonely = User.objects.create_user("lonely@people.example", "x")
    client = signed_in(lonely)
    assert client.get("/", headers=BROWSER).headers["Location"] == "/accounts/new/"
    assert client.post("/accounts/new/", {"name": ""}).status_code == 422
    assert client.post("/accounts/new/", {"name": "Second Wind"}).headers["Location"] == "/app/second-wind/"


@pytest.mark.covers("A-06")
def test_settings_are_changed_by_admins_and_only_read_by_others(as_role: AsRole, base: str, cast: Cast) -> None:
    values = {"name": "Alice & Partners", "slug": "alice-partners", "default_region": "IE"}
    assert as_role(Role.MEMBER).post(f"{base}settings/", values).status_code == 403
    assert 'name="slug"' not in as_role(Role.VIEWER).get(f"{base}settings/").content.decode()
    client = as_role(Role.ADMIN)
    taken = client.post(f"{base}settings/", {**values, "slug": cast.stranger_account.slug})
    assert taken.status_code == 422
    assert cast.account.name.replace("&", "&amp;") in taken.content.decode()
    assert client.post(f"{base}settings/", values).headers["Location"] == "/app/alice-partners/settings/"
    with tenant(cast.account):
        assert Account.objects.get().default_region == "IE"


def test_a_suspended_account_can_be_read_and_not_changed(as_role: AsRole, base: str, cast: Cast) -> None:
    with tenant(cast.account):
        Account.objects.update(status=Account.Status.SUSPENDED)
    client = as_role(Role.OWNER)
    assert "is read-only" in client.get(f"{base}members/").content.decode()
    answer = client.post(f"{base}members/invite/", {"emails": "x@y.example", "role": "member"})
    assert answer.status_code == 403
    assert "403 suspended" in answer.content.decode()


@pytest.mark.covers("A-07")
def test_a_foreign_and_a_missing_account_answer_alike(as_role: AsRole, cast: Cast) -> None:
    client = as_role(Role.OWNER)
    foreign = client.get(f"/app/{cast.stranger_account.slug}/members/")
    missing = client.get("/app/no-such-account/members/")
    assert foreign.status_code == missing.status_code == 404
    assert request_id_out(foreign.content) == request_id_out(missing.content)
    assert "on purpose" in foreign.content.decode()


def request_id_out(page: bytes) -> bytes:
    return re.sub(rb'<span class="mono">[^<]+</span>', b"", page)


def test_theme_and_name_are_kept_per_person(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.OWNER)
    assert client.post("/accounts/theme/", {"theme": "dark"}).status_code == 204
    assert '<html lang="en" data-bs-theme="dark">' in client.get(base).content.decode()
    assert client.post("/accounts/theme/", {"theme": "mauve"}).status_code == 400
    client.post("/accounts/profile/", {"name": "Alice Liddell", "theme": ""})
    cast.alice.refresh_from_db()
    assert (cast.alice.name, cast.alice.theme) == ("Alice Liddell", "")


def test_times_are_in_the_zone_the_browser_names(base: str, cast: Cast) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/accounts/login/", {"login": cast.alice.email, "password": "correct-horse-battery"})
    for zone, shown in (("Asia%2FTokyo", "JST"), ("../../etc/passwd", "UTC")):
        here.cookies["tz"] = zone
        assert f' {shown}">' in here.get(f"{base}security/").content.decode()


@pytest.mark.covers("A-01")
def test_one_ends_ones_own_sessions_and_nobody_elses(as_role: AsRole, base: str, cast: Cast) -> None:
    from allauth.usersessions.models import UserSession

    here, elsewhere, stranger = Client(), Client(), Client()
    for client, user in ((here, cast.alice), (elsewhere, cast.alice), (stranger, cast.charlie)):
        client.post("/accounts/login/", {"login": user.email, "password": "correct-horse-battery"})
    page = here.get(f"{base}security/").content.decode()
    assert page.count("/end/") == 1
    session = UserSession.objects.get(session_key=elsewhere.session.session_key)
    assert stranger.post(f"/accounts/sessions/{session.pk}/end/").status_code == 404
    assert elsewhere.get(base).status_code == 200
    answer = here.post(f"/accounts/sessions/{session.pk}/end/", {"next": f"{base}security/"})
    assert answer.headers["Location"] == f"{base}security/"
    assert elsewhere.get(base).status_code == 302
    outside = UserSession.objects.filter(user=cast.alice).first()
    assert outside
    assert (
        here.post(f"/accounts/sessions/{outside.pk}/end/", {"next": "https://evil.example/"}).headers["Location"]
        == "/accounts/sessions/"
    )


@pytest.mark.parametrize(
    ("page", "status", "words"),
    [
        (lambda request: errors.bad_request(request, Exception()), 400, "makes no sense"),
        (lambda request: errors.permission_denied(request, Exception()), 403, "Nothing was changed"),
        (errors.csrf_failure, 403, "That form is too old"),
        (errors.too_many_requests, 429, "Nothing ran"),
        (errors.server_error, 500, "nothing is half-saved"),
    ],
)
def test_error_pages_say_what_happened_without_needing_anything(
    page: Callable[..., object], status: int, words: str
) -> None:
    answer = page(RequestFactory().get("/"))
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert words in answer.content.decode()  # type: ignore[attr-defined]


def test_a_form_without_its_proof_is_refused_in_words(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accounts/login/", {"login": "a", "password": "b"})
    assert answer.status_code == 403
    assert "That form is too old" in answer.content.decode()
