"""Beginning a conversation by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import account_of, done, may, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.models import Conversation, Inbox
from apps.chat.pages.inbox_filters import member_of, uuid_or_nothing
from apps.chat.services.conversations import MOST_SUBJECT_LETTERS, open_conversation
from apps.chat.services.messages import MOST_LETTERS, receive_message, send_reply, write_note
from apps.vault import selectors
from apps.vault.models import Contact
from apps.vault.templatetags.contacts import called

OFFERED = 30
_SAYS = {"reply": send_reply, "note": write_note, "incoming": receive_message}


class ConversationForm(forms.Form):
    """With whom, where, about what, and what is said first."""

    contact = forms.CharField(
        label="Contact",
        error_messages={"required": "Choose somebody, or write an exact e-mail, phone number or identifier."},
        help_text="Choose one of the latest contacts, or write an exact e-mail, phone number or identifier.",
        widget=forms.TextInput(attrs={"list": "contacts-offered", "autocomplete": "off", "spellcheck": "false"}),
    )
    inbox: Any = forms.ModelChoiceField(queryset=None, empty_label=None)
    subject = forms.CharField(required=False, max_length=MOST_SUBJECT_LETTERS)
    kind = forms.ChoiceField(
        label="Begins with",
        choices=(("reply", "A message to the contact"), ("incoming", "What the contact said"), ("note", "A note")),
    )
    content = forms.CharField(
        required=False, label="Text", strip=False, widget=forms.Textarea(attrs={"rows": 6, "maxlength": MOST_LETTERS})
    )

    def __init__(self, *args: Any, region: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._region = region
        self.fields["inbox"].queryset = Inbox.objects.filter(enabled=True).order_by("id")  # type: ignore[attr-defined]
        if not Inbox.objects.filter(enabled=True).exists():
            del self.fields["inbox"]
        self.fields["content"].is_optional = False  # type: ignore[attr-defined]  # the service says what it wants

    def clean_contact(self) -> Contact:
        """The one contact that what was typed stands for."""
        typed = self.cleaned_data["contact"].strip()
        if (known := uuid_or_nothing(typed)) and (chosen := Contact.objects.filter(pk=known).first()):
            return chosen  # somebody who has nothing else to be named by
        search = selectors.ContactSearch(q=typed, contact_type="", region=self._region)
        rows = selectors.contacts_by_recency(search, None, 2).rows
        if len(rows) != 1:
            words = (
                "No contact has exactly that. Choose one from the list, or add the contact first."
                if not rows
                else "Several contacts have that. Write their identifier."
            )
            raise ValidationError(words, code="not_found")
        found: Contact = Contact.objects.get(pk=dict(zip(selectors.COLUMNS, rows[0], strict=True))["id"])
        return found


@tenant_page("conversations.create", "GET", "POST")
def begin(request: HttpRequest) -> HttpResponse:
    """A page of its own; whoever begins a conversation has it in hand."""
    region = account_of(request).default_region
    form = ConversationForm(request.POST or None, initial=_initial(request), region=region)
    if request.method == "POST" and form.is_valid():
        try:
            made = _begin(request, form)
            return done(request, address(account_of(request), "inbox_conversation", conversation_id=made.id))
        except ValidationError as error:
            add_errors(form, error)
    context = {
        "form": form,
        "offered": _offered(),
        "may_add": may(request, "contacts.create"),
        "back": address(account_of(request), "inbox"),
    }
    return render(request, "chat/inbox/new.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _begin(request: HttpRequest, form: ConversationForm) -> Conversation:
    values, actor = form.cleaned_data, actor_of(request)
    made = open_conversation(
        actor=actor,
        contact=values["contact"],
        inbox=values.get("inbox"),
        subject=values["subject"],
        assignee=member_of(request),
    )
    _SAYS[values["kind"]](made, values["content"], actor=actor)
    return made


def _initial(request: HttpRequest) -> dict[str, str]:
    """The contact from whose page the reader comes."""
    try:
        chosen = Contact.objects.get(pk=UUID(request.GET.get("contact", "")))
    except (ValueError, Contact.DoesNotExist):
        return {}
    return {"contact": chosen.email or chosen.phone or chosen.identifier or str(chosen.id)}


def _offered() -> list[tuple[str, str]]:
    """``(what is typed, who that is)`` of the contacts with the latest activity."""
    page = selectors.contacts_by_recency(selectors.ContactSearch(), None, OFFERED)
    rows = [dict(zip(selectors.COLUMNS, row, strict=True)) for row in page.rows]
    return [(row["email"] or row["phone"] or row["identifier"] or str(row["id"]), called(row)) for row in rows]
