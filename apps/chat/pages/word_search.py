"""Word search on the page "AI features": whether messages are found by their words, and in which language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, done, is_part, may, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.permissions import require
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.messages import Setting, change_setting, current_setting, rebuild
from apps.vault.messages.setting import REBUILD
from apps.vault.messages.words import languages

# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286


class WordSearchForm(forms.Form):
    """What admins decide."""

    enabled = forms.BooleanField(required=False, label="Find messages by their words")
    language = forms.ChoiceField(label="Language of most messages")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            (name, language_label(name)) for name in languages()
        ]


def language_label(name: str) -> str:
    """A language as people call it: "dutch_porter" is "Dutch (Porter)"."""
    if name == "porter":
        return "English (Porter)"
    language, _, variant = name.partition("_")
    return f"{language.capitalize()} ({variant.capitalize()})" if variant else language.capitalize()


def read(request: HttpRequest) -> dict[str, Any]:
    """The part of the page."""
    setting = current_setting()
    return {**_standing(setting), "form": WordSearchForm(initial=_values(setting)), **_rights(request)}


@tenant_page("account.view", "GET", "POST")
def words(request: HttpRequest) -> HttpResponse:
    """How it stands, for htmx, which asks while words are made; POST saves."""
    here = address(account_of(request), "ai")
    if request.method != "POST":
        if not is_part(request):
            return done(request, here)
        panel = {**_standing(current_setting()), **_rights(request)}
        status = 200 if panel["setting"].building else STOP_POLLING
        return render(request, "chat/ai/words_state.html", {"panel": panel}, status=status)
    require(actor_of(request), "account.update")
    form = WordSearchForm(request.POST)
    if form.is_valid():
        try:
            job = change_setting(actor=actor_of(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return done(request, here, _said(current_setting()) if job else "Nothing was changed.")
    panel = {**_standing(current_setting()), "form": form, **_rights(request)}
    # Without htmx the refused form stands on a page of its own.
    template = "chat/ai/words.html" if is_part(request) else "chat/ai/words_page.html"
    return render(request, template, {"panel": panel}, status=422)


@tenant_page("account.update", "POST")
def again(request: HttpRequest) -> HttpResponse:
    """Make all words anew, after a failure."""
    rebuild(actor=actor_of(request))
    return done(request, address(account_of(request), "ai"), "It is being tried now.")


def _standing(setting: Setting) -> dict[str, Any]:
    job = Job.objects.filter(kind=REBUILD).order_by("-created_at").first() if setting.building else None
    return {"setting": setting, "language": language_label(setting.language), "job": job}


def _rights(request: HttpRequest) -> dict[str, Any]:
    return {"may_change": may(request, "account.update")}


def _values(setting: Setting) -> dict[str, Any]:
    return {"enabled": setting.enabled, "language": setting.language}


def _said(setting: Setting) -> str:
    if not setting.enabled:
        return "Word search is off. What was kept for it is being deleted."
    return f"Saved. Words are being made, in {language_label(setting.language)}."
