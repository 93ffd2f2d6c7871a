"""The admin's screens: what they show, what they keep to themselves, and that every change goes through a service."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.admin.site import site
from apps.accounts.models import Account, APIKey, Invitation, Job, Membership, User
from apps.accounts.roles import Role
from apps.accounts.services.invitations import invite
from apps.accounts.tenancy.scope import NoScope, tenant
from apps.vault.models import AuditEntry
from apps.vault.services.contacts import create_contact
from tests.accounts.signin.people import actions, enrol, platform_trail, sign_in, trail
from tests.factories import add_member, make_account, make_api_key, make_contact, make_user
from tests.working import work_off

pytestmark = [pytest.mark.covers("A-04", "O-05"), pytest.mark.django_db(transaction=True)]


def page(name: str, *arguments: Any) -> str:
    return reverse(f"admin:{name}", args=arguments)


def text(answer: Any) -> str:
    """What a reader sees: tags away, white space joined."""
    assert answer.status_code == 200, answer
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def listed(client: Client, name: str, **query: Any) -> str:
    return text(client.get(page(f"{name}_changelist"), query))


def do(client: Client, row: Any, change: str) -> Any:
    return client.post(page(f"{row._meta.app_label}_{row._meta.model_name}_do", row.pk, change), follow=True)


def one_of_each() -> dict[str, Any]:
    """An account with a row of every model that has a screen."""
    owner = make_user("maya@harbour.example", name="Maya")
    account = make_account("Harbour & Pine", owner)
    member = add_member(account, Role.MEMBER, make_user("bob@harbour.example"))
    make_api_key(account, name="Phone system")
    contact = make_contact(account, name="Ann Other", email="ann@secret.example", phone="+442079460142")
    with tenant(account):
        actor = Actor.member(Membership.objects.select_related("user").get(role=Role.OWNER))
        invitation = invite(account=account, email="new@people.example", role=Role.VIEWER, actor=actor)
        job = Job.objects.create(kind="contacts.import", status="failed", error="No column fits.", attempts=8)
        key = APIKey.objects.get()
    return {
        "account": account,
        "user": owner,
        "membership": member,
        "apikey": key,
        "contact": contact,
        "invitation": invitation,
        "job": job,
    }


def test_every_list_and_every_object_opens(admin: Client) -> None:
    rows = one_of_each()
    for model in site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        query = {"account__id__exact": rows["account"].pk} if hasattr(model, "account") else {}
        assert model._meta.verbose_name_plural.lower() in listed(admin, name, **query).lower(), name
        assert admin.get(page(f"{name}_changelist"), {**query, "q": "harbour"}).status_code == 200, name
    for row in rows.values():
        answer = admin.get(page(f"{row._meta.app_label}_{row._meta.model_name}_change", row.pk))
        assert answer.status_code == 200, row
        assert str(row.pk) in answer.content.decode(), row


def test_every_model_with_an_account_has_a_screen_or_a_reason() -> None:
    without = {
        "accounts.counter": "shown with its limit",
        "accounts.livenumber": "a count by which open pages know that they missed something",
        "accounts.limitalert": "mailed, and shown on the account's own page",
        "accounts.reservation": "lives for minutes; what came of it is in the usage",
        "accounts.usageevent": "by the million: shown summed up by day",
        "vault.accountkeyset": "wrapped keys: nothing to see",
        "vault.audithead": "the end of a trail: shown by verify_audit",
        "vault.contactimport": "the account's own file on its way; its job has a screen",
        "vault.messagesearch": "one switch of the account's own",
        "vault.rejectedrows": "the account's own rows: the account alone gets them back",
        "vault.token": "grants: how they stand is shown with the connection they belong to",
        "vault.rememberedrequest": "answers kept a day for repeated requests",
    }
    missing = [
        model._meta.label_lower
        for model in apps.get_models()
        if model._meta.app_label in {"accounts", "vault"}
        and model not in site._registry
        and hasattr(model, "account")
        and model._meta.label_lower not in without
    ]
    assert missing == []


def test_nothing_can_be_added_or_deleted_past_the_services(admin: Client) -> None:
    rows = one_of_each()
    for row in rows.values():
        name = f"{row._meta.app_label}_{row._meta.model_name}"
        assert admin.get(page(f"{name}_add")).status_code == 403
        assert admin.post(page(f"{name}_delete", row.pk), {"post": "yes"}).status_code == 403
        query = {"account__id__exact": rows["account"].pk}
        answer = admin.post(
            f"{page(f'{name}_changelist')}?account__id__exact={query['account__id__exact']}",
            {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"},
        )
        assert answer.status_code in {200, 302}
    with tenant(rows["account"]):
        assert Account.objects.count() == APIKey.objects.count() == 1
        assert Membership.objects.count() == 2
    assert User.objects.filter(email="maya@harbour.example").exists()


def test_contacts_are_never_shown_in_clear(admin: Client) -> None:
    rows = one_of_each()
    account, contact = rows["account"], rows["contact"]
    shown = [
        listed(admin, "vault_contact", account__id__exact=account.pk),
        text(admin.get(page("vault_contact_change", contact.pk))),
        listed(admin, "vault_auditentry", account__id__exact=account.pk),
    ]
    for seen in shown:
        assert "Ann Other" not in seen
        assert "ann@secret" not in seen
        assert "79460142" not in seen
    assert "a•••@s•••" in shown[0]
    assert "+44•••42" in shown[1]


def test_what_a_contacts_trail_says_stays_with_the_account(admin: Client) -> None:
    account = make_account("Harbour & Pine")
    with tenant(account):
        actor = Actor.member(Membership.objects.select_related("user").get())
        create_contact(actor=actor, name="Ann Other", email="ann@secret.example")
        entry = AuditEntry.objects.get(action="contact.created")
    seen = text(admin.get(page("vault_auditentry_change", entry.pk)))
    seen += listed(admin, "vault_auditentry", account__id__exact=account.pk)
    assert "contact.created" in seen
    assert "Ann" not in seen
    assert "secret.example" not in seen


def test_contacts_show_for_one_account_at_a_time_and_are_found_by_whole_address(admin: Client) -> None:
    rows = one_of_each()
    account, other = rows["account"], make_account("Kestrel")
    make_contact(other, name="Zed", email="zed@secret.example")
    assert "Choose an account" in listed(admin, "vault_contact")
    assert "@s•••" not in listed(admin, "vault_contact")
    assert "@s•••" not in listed(admin, "vault_contact", q="ann@secret.example")
    for words, count in (("ANN@secret.example", 1), ("+442079460142", 1), ("ann@secret", 0), ("zed@secret.example", 0)):
        found = listed(admin, "vault_contact", account__id__exact=account.pk, q=words)
        assert found.count("@s•••") == count, words


def test_secrets_of_keys_and_people_are_nowhere(admin: Client) -> None:
    rows = one_of_each()
    enrol(rows["user"])
    key = rows["apikey"]
    seen = admin.get(page("accounts_apikey_change", key.pk)).content.decode()
    seen += admin.get(page("accounts_user_change", rows["user"].pk)).content.decode()
    assert bytes(key.secret_hash).hex() not in seen
    assert rows["user"].password not in seen
    assert Authenticator.objects.get(user=rows["user"]).data["secret"] not in seen


@pytest.mark.parametrize("name", ["account", "user", "membership", "invitation", "apikey", "job"])
def test_lists_ask_the_database_as_often_for_many_rows_as_for_one(admin: Client, name: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(admin, f"accounts_{name}")
        return len(captured)

    one_of_each()
    asked()
    few = asked()
    for number in range(5):
        account = make_account(f"Company {number}")
        add_member(account, Role.MEMBER)
        make_api_key(account)
        with tenant(account):
            actor = Actor.member(Membership.objects.select_related("user").filter(role=Role.OWNER).first())
            invite(account=account, email=f"n{number}@people.example", role=Role.VIEWER, actor=actor)
            Job.objects.create(kind="contacts.import")
    assert asked() == few


def test_what_staff_open_stands_in_the_accounts_own_trail(admin: Client, rita: User) -> None:
    rows = one_of_each()
    before = len(trail(rows["account"]))
    for _ in range(2):
        admin.get(page("accounts_account_change", rows["account"].pk))
        admin.get(page("vault_contact_change", rows["contact"].pk))
        listed(admin, "vault_contact", account__id__exact=rows["account"].pk)
    seen = trail(rows["account"])[: len(trail(rows["account"])) - before]
    assert sorted(actions(seen)) == ["staff.listed", "staff.viewed", "staff.viewed"]
    assert {(line.actor, line.actor_kind, line.user_agent) for line in seen} == {
        (rita.email, "staff", "Rita's browser")
    }
    assert not any("Ann" in line.entity or "secret" in line.entity for line in seen)


def test_an_accounts_settings_are_changed_by_the_service_in_the_staffs_name(admin: Client, rita: User) -> None:
    account = one_of_each()["account"]
    address = page("accounts_account_change", account.pk)
    save(admin, address, name="Harbour & Oak", slug="harbour-oak", default_region="DE")
    line = next(line for line in trail(account) if line.action == "account.updated")
    assert (line.actor, line.actor_kind) == (rita.email, "staff")
    assert line.changes["name"] == ["Harbour & Pine", "Harbour & Oak"]
    with tenant(account):
        assert Account.objects.get().default_region == "DE"


def test_what_a_service_refuses_is_said_and_not_saved(admin: Client) -> None:
    account = one_of_each()["account"]
    assert "reserved" in text(save(admin, page("accounts_account_change", account.pk), slug="admin"))
    with tenant(account):
        assert Account.objects.get().slug == "harbour-pine"


class _Inputs(HTMLParser):
    """What a browser would send of a page's forms when nobody types anything."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "input" and known.get("name") and known.get("type") not in {"checkbox", "radio", "submit"}:
            self.values[str(known["name"])] = known.get("value") or ""


def save(client: Client, address: str, **values: str) -> Any:
    """Open the page, change ``values`` in its form, and send it."""
    inputs = _Inputs(client.get(address).content.decode()).values
    return client.post(address, {**inputs, **values}, follow=True)


def test_a_role_is_changed_by_the_service_and_an_account_keeps_an_owner(admin: Client) -> None:
    rows = one_of_each()
    account, member = rows["account"], rows["membership"]
    assert admin.post(page("accounts_membership_change", member.pk), {"role": "admin"}).status_code == 302
    assert trail(account)[0].changes == {"role": ["member", "admin"]}
    with tenant(account):
        owner = Membership.objects.get(role=Role.OWNER)
    answer = admin.post(page("accounts_membership_change", owner.pk), {"role": "viewer"}, follow=True)
    assert "needs an owner" in text(answer)
    with tenant(account):
        assert Membership.objects.get(pk=owner.pk).role == Role.OWNER


def test_a_change_asks_first_and_says_what_it_means(admin: Client) -> None:
    key = one_of_each()["apikey"]
    asked = text(admin.get(page("accounts_apikey_do", key.pk, "disable")))
    assert "Programs that use the key are refused" in asked
    with tenant(key.account_id):
        assert APIKey.objects.get().enabled
    assert "is refused from now on" in text(do(admin, key, "disable"))
    with tenant(key.account_id):
        assert not APIKey.objects.get().enabled


def test_an_unknown_change_or_object_is_not_there(admin: Client) -> None:
    key = one_of_each()["apikey"]
    assert admin.get(page("accounts_apikey_do", key.pk, "explode")).status_code == 404
    assert admin.get(page("accounts_apikey_do", make_user().pk, "disable")).status_code == 404


def test_a_change_upon_many_asks_once_and_tells_each_outcome(admin: Client) -> None:
    first, second = one_of_each()["job"], one_of_each_job()
    chosen = {"action": "retry", "_selected_action": [str(first.pk), str(second.pk)]}
    asked = text(admin.post(page("accounts_job_changelist"), chosen))
    assert "Try again (2)?" in asked
    done = text(admin.post(page("accounts_job_changelist"), {**chosen, "confirmed": "yes"}, follow=True))
    assert "is in line again" in done
    assert "left as it is" in done
    with tenant(first.account_id):
        job = Job.objects.get(pk=first.pk)
    assert (job.status, job.attempts, job.error) == ("queued", 0, "")


def one_of_each_job() -> Job:
    account = make_account("Kestrel")
    with tenant(account):
        return Job.objects.create(kind="contacts.import", status="done", finished_at=timezone.now())


def test_jobs_are_retried_and_cancelled_once(admin: Client) -> None:
    job = one_of_each()["job"]
    do(admin, job, "retry")
    do(admin, job, "cancel")
    assert "does not apply" in text(do(admin, job, "cancel"))
    with tenant(job.account_id):
        account = Account.objects.get()
        assert Job.objects.get(pk=job.pk).status == "cancelled"
    assert [action for action in actions(trail(account)) if action.startswith("job.")] == [
        "job.retried",
        "job.cancelled",
    ]


def test_a_job_whose_twin_is_in_line_is_not_retried(admin: Client) -> None:
    account = make_account()
    with tenant(account):
        failed = Job.objects.create(kind="contacts.import", status="failed", dedupe_key="one")
        Job.objects.create(kind="contacts.import", status="queued", dedupe_key="one")
    assert "does the same work already" in text(do(admin, failed, "retry"))


def test_invitations_are_sent_again_and_withdrawn(admin: Client) -> None:
    rows = one_of_each()
    invitation = rows["invitation"]
    mail.outbox.clear()
    do(admin, invitation, "resend")
    work_off(rows["account"])
    assert mail.outbox[0].to == ["new@people.example"]
    do(admin, invitation, "withdraw")
    with tenant(rows["account"]):
        assert Invitation.objects.get().status == "revoked"


def test_a_member_is_removed_and_their_keys_stop(admin: Client) -> None:
    rows = one_of_each()
    assert "does not belong to Harbour &amp; Pine any more" in text(do(admin, rows["membership"], "remove"))
    with tenant(rows["account"]):
        assert Membership.objects.count() == 1


def test_switching_a_person_off_ends_sessions_and_keys(admin: Client) -> None:
    user = make_user("maya@harbour.example")
    account = make_account("Harbour & Pine", user)
    make_api_key(account)
    browser = Client()
    sign_in(browser, user)
    assert browser.get("/app/harbour-pine/").status_code == 200
    do(admin, user, "switch-off")
    assert browser.get("/app/harbour-pine/").status_code == 302
    with tenant(account):
        assert not APIKey.objects.get().enabled
    assert sign_in(Client(), user).headers["Location"] == "/accounts/inactive/"
    assert {"user.switched_off", "session.ended"} <= set(actions(trail(account)))
    do(admin, user, "switch-on")
    assert sign_in(Client(), user).headers["Location"] == "/"


def test_a_lost_authenticator_is_removed_and_everybody_concerned_knows(admin: Client, rita: User) -> None:
    user = make_user("maya@harbour.example")
    account = make_account("Harbour & Pine", user)
    enrol(user)
    assert "1 factors" in text(do(admin, user, "remove-second-factors"))
    assert not Authenticator.objects.filter(user=user).exists()
    lines = {line.action: line for line in trail(account)}
    assert lines["user.second_factors_removed"].actor == rita.email
    assert lines["second_factor.removed"].actor_kind == "staff"


def test_nobody_switches_off_themselves_or_the_last_super_admin(admin: Client, rita: User) -> None:
    assert "Nobody switches themselves off" in text(do(admin, rita, "switch-off"))
    assert "Somebody else has to take your rights" in text(do(admin, rita, "unmake-super-admin"))
    rita.refresh_from_db()
    assert (rita.is_active, rita.is_superuser) == (True, True)


def test_making_a_super_admin_stands_in_the_platforms_trail(admin: Client, rita: User) -> None:
    user = make_user("sam@platform.example")
    do(admin, user, "make-super-admin")
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff) == (True, True)
    line = platform_trail()[0]
    assert (line.action, line.actor) == ("staff.super_admin_made", rita.email)
    do(admin, user, "unmake-super-admin")
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff) == (False, False)


def test_the_dashboard_puts_first_what_needs_a_person(admin: Client) -> None:
    rows = one_of_each()
    with tenant(rows["account"]):
        Job.objects.filter(pk=rows["job"].pk).update(finished_at=timezone.now())
        Job.objects.create(kind="contacts.import", next_attempt_at=timezone.now() - timedelta(minutes=20))
    seen = text(admin.get("/admin/"))
    for words in ("1 job of kind contacts.import failed", "No column fits.", "1 job waits for a worker", "20 minutes"):
        assert words in seen
    assert seen.index("Needs a person") < seen.index("Sign-ups per day")
    assert "1 account now, 0 thirty days ago." in seen


def test_the_search_of_the_side_bar_finds_accounts_and_people(admin: Client) -> None:
    one_of_each()
    assert "Harbour &amp; Pine" in text(admin.get("/admin/search/", {"s": "harbour", "extended": "1"}))
    assert "maya@harbour.example" in text(admin.get("/admin/search/", {"s": "maya@", "extended": "1"}))


def test_accounts_are_found_by_name_address_and_a_members_e_mail(admin: Client) -> None:
    one_of_each()
    make_account("Kestrel")
    for words in ("pine", "harbour-pine", "bob@harbour.example"):
        seen = listed(admin, "accounts_account", q=words)
        assert "Harbour &amp; Pine" in seen, words
        assert "Kestrel" not in seen, words


def test_no_scope_is_left_behind(admin: Client) -> None:
    one_of_each()
    admin.get("/admin/")
    with pytest.raises(NoScope):
        Account.objects.count()


def test_the_admins_own_history_holds_no_names_of_contacts(admin: Client) -> None:
    one_of_each()
    assert not LogEntry.objects.filter(object_repr__icontains="Ann").exists()
