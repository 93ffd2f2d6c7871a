"""Canned responses, labels and inboxes, as ``keeping.py`` shows them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count

from apps.chat.models import CannedResponse, Inbox, Label
from apps.chat.pages.keeping import Kind
from apps.chat.services.canned_responses import (
    MOST_LETTERS,
    create_canned_response,
    delete_canned_response,
    update_canned_response,
)
from apps.chat.services.inboxes import create_inbox, delete_inbox, update_inbox
from apps.chat.services.labels import create_label, delete_label, update_label


class CannedForm(forms.Form):
    """Code and text."""

    short_code = forms.CharField(
        required=False,
        label="Short code",
        help_text="Typed after / in a reply: small letters, digits, - and _.",
        widget=forms.TextInput(attrs={"maxlength": 51, "autocomplete": "off", "spellcheck": "false"}),
    )
    content = forms.CharField(
        required=False,
        label="Text",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 7, "maxlength": MOST_LETTERS}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for made in self.fields.values():
            made.is_optional = False  # type: ignore[attr-defined]  # both are needed: the service says so in its words


class LabelForm(forms.Form):
    """Name, what it is for, tint."""

    name = forms.CharField(
        max_length=50,
        help_text="Not encrypted, since lists are filtered by it: name a topic, no person.",
        error_messages={"required": "Give it a name."},
    )
    description = forms.CharField(required=False, max_length=200)
    colour = forms.ChoiceField(choices=Label.Colour.choices, initial=Label.Colour.GREY)


class InboxForm(forms.Form):
    """Name, way, whether it takes new conversations."""

    name = forms.CharField(max_length=100, error_messages={"required": "Give it a name."})
    channel = forms.ChoiceField(label="Comes in by", choices=Inbox.Channel.choices, initial=Inbox.Channel.API)
    enabled = forms.BooleanField(required=False, initial=True, label="Takes new conversations")


def _counted(model: Any, relation: str) -> Any:
    return model.objects.annotate(conversations_held=Count(relation)).order_by("name")


CANNED = Kind(
    key="canned",
    title="Canned responses",
    words="Answers the team keeps ready. Type / and a code in a reply to put one in. Their texts are encrypted.",
    noun="canned response",
    begin="Begin with the answer you write most often. Smart suggestions offers what fits a conversation.",
    icon="message-bolt",
    resource="canned_responses",
    model=CannedResponse,
    form=CannedForm,
    create=create_canned_response,
    update=update_canned_response,
    remove=delete_canned_response,
    rows=lambda: CannedResponse.objects.order_by("short_code"),
    lost="Replies that used it keep its text.",
)
LABELS = Kind(
    key="labels",
    title="Labels",
    words="Words the team puts on conversations, to find them by.",
    noun="label",
    begin="Name a topic, such as “repairs” or “returns”, and put it on conversations from the panel beside them.",
    icon="tag",
    resource="labels",
    model=Label,
    form=LabelForm,
    create=create_label,
    update=update_label,
    remove=delete_label,
    rows=lambda: _counted(Label, "labellings"),
    lost="It is taken off every conversation that carries it.",
)
INBOXES = Kind(
    key="inboxes",
    title="Inboxes",
    words="The ways by which customers reach you. One that is switched off takes nothing new and keeps what it has.",
    noun="inbox",
    begin="The first conversation makes one by itself. Make more to keep channels or teams apart.",
    icon="inbox",
    resource="inboxes",
    model=Inbox,
    form=InboxForm,
    create=create_inbox,
    update=update_inbox,
    remove=delete_inbox,
    rows=lambda: _counted(Inbox, "conversations"),
    lost="Only one that holds no conversations can be deleted.",
)
KINDS = (CANNED, LABELS, INBOXES)
