"""What is remembered about a contact, on the contact's page: noted, changed, forgotten one by one or all at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.accounts.features import is_on
from apps.accounts.pages.door import account_of, dialog, done, is_part, may, tenant_page, trigger
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.permissions import require
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.features import AGENT_MEMORY
from apps.chat.models import ContactMemory
from apps.chat.services import memories as service
from apps.vault.models import Contact

State = ContactMemory.State
IMPORTANCE = {1: "Nice to know", 2: "Minor", 3: "Useful", 4: "Important", 5: "Never forget"}


class MemoryForm(forms.Form):
    """A fact; the service checks what is written."""

    content = forms.CharField(label="What to remember", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    importance = forms.TypedChoiceField(label="How important it is", coerce=int, choices=list(IMPORTANCE.items()))
    tags = forms.CharField(label="Tags", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["content"].is_optional = False  # type: ignore[attr-defined]  # the service asks for it

    def clean_tags(self) -> list[str]:
        """As the service takes them."""
        return [tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()]


def read(request: HttpRequest, contact_id: UUID) -> dict[str, Any] | None:
    """The part of the contact's page; left out while the feature is off and nothing is kept."""
    rows = ContactMemory.objects.filter(contact_id=contact_id)
    facts = list(rows.filter(state=State.REMEMBERED).order_by("-importance", "-id"))
    for fact in facts:
        fact.weight = IMPORTANCE[fact.importance]
    proposed = list(rows.filter(state=State.PROPOSED).order_by("-importance", "-id"))
    feature_on = is_on(AGENT_MEMORY.name, account_of(request))
    if not feature_on and not facts and not proposed:
        return None
    return {
        "contact_id": contact_id,
        "facts": facts,
        "proposed": proposed,
        "is_on": feature_on,
        # What is kept can be forgotten whatever is switched on.
        "may_forget": may(request, "memories.manage"),
        "may_change": feature_on and may(request, "memories.manage"),
    }


@tenant_page("memories.view", "GET", "POST")
def facts(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """The part by itself; POST notes a fact. What was typed is kept when it is refused."""
    contact = get_object_or_404(Contact, pk=contact_id)
    more: dict[str, Any] = {}
    if request.method == "POST":
        require(actor_of(request), "memories.manage")
        content = request.POST.get("content", "")
        try:
            service.remember(contact, actor=actor_of(request), content=content)
        except ValidationError as error:
            more = {"typed": content, "errors": error.messages}
        else:
            if not is_part(request):
                return done(request, _page(request, contact_id), "Remembered.")
    elif not is_part(request):
        return done(request, _page(request, contact_id))
    part = {**(read(request, contact_id) or {"contact_id": contact_id}), **more}
    return render(request, "chat/memory/contact.html", {"part": part}, status=422 if more else 200)


@tenant_page("memories.manage", "GET", "POST")
def edit(request: HttpRequest, memory_id: UUID) -> HttpResponse:
    """Change what a fact says, how important it is, and its tags."""
    memory = get_object_or_404(ContactMemory.objects.select_for_update(of=("self",)), pk=memory_id)
    initial = {"content": memory.content, "importance": memory.importance, "tags": ", ".join(memory.tags or [])}
    form = MemoryForm(request.POST if request.method == "POST" else None, initial=initial)
    back = _page(request, memory.contact_id)
    if form.is_valid():
        try:
            service.change_memory(memory, actor=actor_of(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            if is_part(request):
                return trigger(HttpResponse(status=204), memories_changed={}, close_dialog={})
            return done(request, back, "Saved.")
    context = {"title": "Change what is remembered", "form": form, "back": back}
    return dialog(request, "chat/memory/edit.html", context, status=422 if form.errors else 200)


@tenant_page("memories.manage", "GET", "POST")
def forget_all(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Forget everything about a contact, after asking."""
    contact = get_object_or_404(Contact, pk=contact_id)
    back = _page(request, contact_id)
    if request.method == "POST":
        count = service.forget_all(contact, actor=actor_of(request))
        return done(request, back, f"{count} fact{'' if count == 1 else 's'} forgotten.")
    number = ContactMemory.objects.filter(contact=contact).count()
    context = {"title": "Forget everything about this contact?", "number": number, "back": back}
    return dialog(request, "chat/memory/forget_all.html", context)


def _page(request: HttpRequest, contact_id: UUID) -> str:
    return address(account_of(request), "contact", contact_id=contact_id)
