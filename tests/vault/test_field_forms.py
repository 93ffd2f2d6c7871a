"""Encrypted fields in forms, the admin's own forms and serializers: they seal what comes in and open what goes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import FieldError
from django.forms import modelform_factory, modelformset_factory
from django.test import RequestFactory
from rest_framework.serializers import ModelSerializer

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.factories import make_account, make_contact, make_user
from tests.vault.table import MARK, nothing_readable

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01", "V-02")]

FIELDS = ["name", "email", "custom_attributes", "contact_type", "last_activity_at"]
POSTED = {
    "name": MARK,
    "email": "ann@mail.example",
    "custom_attributes": json.dumps({"k": MARK}),
    "contact_type": "lead",
    "last_activity_at": "2026-01-01 10:00",
    # The admin's form asks for it in two parts.
    "last_activity_at_0": "2026-01-01",
    "last_activity_at_1": "10:00",
}


@pytest.fixture
def ours(db: None) -> Account:
    return make_account()


def posted(**changes: str) -> dict[str, str]:
    return {**POSTED, **changes}


class TestModelForms:
    form = staticmethod(modelform_factory(Contact, fields=FIELDS))

    def test_it_seals_and_shows(self, ours: Account) -> None:
        with tenant(ours):
            form = self.form(POSTED)
            assert form.is_valid(), form.errors
            made = form.save()
            nothing_readable(MARK)
            found = Contact.objects.with_email("ann@mail.example").get()
            assert (found.pk, found.name, found.custom_attributes) == (made.pk, MARK, {"k": MARK})
            shown = self.form(instance=found)
            assert shown.initial["name"] == MARK
            assert f">\n{MARK}</textarea>" in str(shown["name"])

    def test_a_form_that_changes_nothing_says_so(self, ours: Account) -> None:
        with tenant(ours):
            made = self.form(POSTED).save()
            again = self.form(POSTED, instance=Contact.objects.get(pk=made.pk))
            assert again.is_valid()
            assert again.changed_data == []

    @pytest.mark.parametrize("value", [42, True, 1.5, "text", [1, "a"], {"a": [None]}])
    def test_every_kind_of_json_is_shown_and_kept(self, ours: Account, value: Any) -> None:
        made = make_contact(ours, custom_attributes=value)
        with tenant(ours):
            shown = self.form(instance=Contact.objects.get(pk=made.pk))
            text = shown["custom_attributes"].value()
            assert json.loads(text) == value
            again = self.form(posted(custom_attributes=text), instance=Contact.objects.get(pk=made.pk))
            assert again.is_valid(), again.errors
            assert "custom_attributes" not in again.changed_data
            again.save()
            assert Contact.objects.get(pk=made.pk).custom_attributes == value

    def test_what_somebody_types_is_never_taken_for_a_ciphertext(self, ours: Account) -> None:
        with tenant(ours):
            for typed in ("sealed:AAAA", "sealed:not Base64", "<sealed>"):
                form = self.form(
                    posted(name=typed, custom_attributes=json.dumps(typed), email=f"{len(typed)}@x.example")
                )
                assert form.is_valid(), form.errors
                made = form.save()
                found = Contact.objects.get(pk=made.pk)
                assert (found.name, found.custom_attributes) == (typed, typed)

    @pytest.mark.parametrize("text", ["{", "NaN", '{"a": Infinity}'])
    def test_what_is_no_json_is_refused_on_the_field(self, ours: Account, text: str) -> None:
        with tenant(ours):
            form = self.form(posted(custom_attributes=text))
            assert not form.is_valid()
            assert set(form.errors) == {"custom_attributes"}

    def test_formsets_seal(self, ours: Account) -> None:
        formset_class = modelformset_factory(Contact, fields=FIELDS, extra=1)
        data = {f"form-0-{name}": value for name, value in POSTED.items()}
        with tenant(ours):
            formset = formset_class({"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", **data})
            assert formset.is_valid(), formset.errors
            formset.save()
            nothing_readable(MARK)
            assert Contact.objects.get().name == MARK


class ContactScreen(ModelAdmin):
    """As somebody might write one who knows nothing of encryption."""

    fields = FIELDS
    list_display = ("contact_type", "created_at")


class TestAdminForms:
    def request(self, method: str = "get", data: Any = None, **query: Any) -> Any:
        request = getattr(RequestFactory(), method)("/admin/", data if data is not None else query)
        request.user = make_user(is_superuser=True, is_staff=True)
        request._dont_enforce_csrf_checks = True
        request._messages = type("Messages", (), {"add": lambda *args: None})()
        return request

    def screen(self, **options: Any) -> ModelAdmin:
        kind = type("Screen", (ContactScreen,), options)
        site = AdminSite()
        site.register(Contact, kind)
        return site._registry[Contact]

    def test_adding_and_changing_seal(self, ours: Account) -> None:
        screen = self.screen(log_addition=lambda *args: None, log_change=lambda *args: None)
        with tenant(ours):
            form = screen.get_form(self.request())(POSTED)
            assert form.is_valid(), form.errors
            screen.save_model(self.request("post", POSTED), form.save(commit=False), form, change=False)
            nothing_readable(MARK)
            found = Contact.objects.with_email("ann@mail.example").get()
            assert found.name == MARK
            change = screen.get_form(self.request(), found, change=True)(instance=found)
            assert MARK in str(change["name"])
            message = screen.construct_change_message(self.request(), form, [], add=True)
            assert MARK not in json.dumps(message)

    def test_the_history_holds_names_of_fields_and_no_values(self, ours: Account) -> None:
        made = make_contact(ours, name="before")
        screen = self.screen()
        with tenant(ours):
            request = self.request()
            form = screen.get_form(request, made, change=True)(posted(), instance=made)
            assert form.is_valid(), form.errors
            message = json.dumps(screen.construct_change_message(request, form, []))
        assert "Name" in message
        assert MARK not in message
        assert MARK not in str(made) + repr(made)

    @pytest.mark.parametrize(
        ("options", "query"),
        [
            ({"search_fields": ("name",)}, {"q": MARK}),
            ({"ordering": ("name",)}, {}),
            ({"list_filter": ("name",)}, {}),
            ({"list_display": ("name", "email")}, {"o": "1"}),
        ],
        ids=["search", "ordering", "filter", "sorting a column"],
    )
    def test_lists_that_would_ask_sql_are_refused(self, ours: Account, options: Any, query: Any) -> None:
        make_contact(ours, name=MARK)
        screen = self.screen(**options)
        with tenant(ours), pytest.raises(FieldError, match=r"Contact\.(name|email) is encrypted"):
            list(screen.get_changelist_instance(self.request(**query)).result_list)


class ContactSerializer(ModelSerializer[Contact]):
    """As somebody might write one who knows nothing of encryption."""

    class Meta:
        model = Contact
        fields = FIELDS


class TestSerializers:
    values: dict[str, Any] = {**POSTED, "custom_attributes": {"k": MARK}, "last_activity_at": "2026-01-01T10:00:00Z"}

    def test_they_seal_and_open(self, ours: Account) -> None:
        with tenant(ours):
            serializer = ContactSerializer(data=self.values)
            serializer.is_valid(raise_exception=True)
            made = serializer.save()
            nothing_readable(MARK)
            shown = ContactSerializer(Contact.objects.get(pk=made.pk)).data
            assert (shown["name"], shown["custom_attributes"]) == (MARK, {"k": MARK})

    def test_they_change(self, ours: Account) -> None:
        made = make_contact(ours, name="before")
        with tenant(ours):
            serializer = ContactSerializer(made, data={"name": MARK}, partial=True)
            serializer.is_valid(raise_exception=True)
            serializer.save()
            nothing_readable(MARK)
            assert Contact.objects.get(pk=made.pk).name == MARK

    def test_their_text_form_holds_no_ciphertext_mistaken_for_text(self, ours: Account) -> None:
        with tenant(ours):
            serializer = ContactSerializer(data={**self.values, "name": "sealed:AAAA"})
            serializer.is_valid(raise_exception=True)
            assert Contact.objects.get(pk=serializer.save().pk).name == "sealed:AAAA"
