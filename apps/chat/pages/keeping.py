"""The pages of what the inbox keeps ready: canned responses, labels, inboxes. A list, and dialogs to change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from apps.accounts.pages.door import account_of, dialog, done, may, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of


@dataclass(frozen=True)
class Kind:
    """One of the three. ``rows`` answers what its list shows, ``begin`` says what to do while it is empty."""

    key: str
    title: str
    words: str
    noun: str
    begin: str
    icon: str
    resource: str
    model: Any
    form: type[forms.Form]
    create: Callable[..., Any]
    update: Callable[..., Any]
    remove: Callable[..., None]
    rows: Callable[[], Any]
    lost: str

    @property
    def url_name(self) -> str:
        """Of its list."""
        return f"inbox_{self.key}"


def urls(kinds: tuple[Kind, ...]) -> list[URLPattern]:
    """Addresses of all kinds, each with its tabs to the others."""
    found: list[URLPattern] = []
    for kind in kinds:
        base, one, name = f"inbox/{kind.key}/", f"inbox/{kind.key}/<uuid:kept_id>/", kind.url_name
        found += [
            path(base, _list(kind, kinds), name=name),
            path(f"{base}new/", _new(kind), name=f"{name}_new"),
            path(one, _edit(kind), name=f"{name}_edit"),
            path(f"{one}delete/", _delete(kind), name=f"{name}_delete"),
        ]
    return found


def _list(kind: Kind, kinds: tuple[Kind, ...]) -> Any:
    @tenant_page(f"{kind.resource}.view")
    def listed(request: HttpRequest) -> HttpResponse:
        account = account_of(request)
        context = {
            "kind": kind,
            "rows": [
                {
                    "is": row,
                    "edit_url": address(account, f"{kind.url_name}_edit", kept_id=row.id),
                    "delete_url": address(account, f"{kind.url_name}_delete", kept_id=row.id),
                }
                for row in kind.rows()
            ],
            "new_url": address(account, f"{kind.url_name}_new"),
            "none_yet": f"No {kind.title.lower()} yet",
            "may_manage": may(request, f"{kind.resource}.manage"),
            "tabs": [
                {"title": each.title, "url": address(account, each.url_name), "on": each is kind} for each in kinds
            ],
        }
        return render(request, "chat/keeping/list.html", context)

    return listed


def _new(kind: Kind) -> Any:
    @tenant_page(f"{kind.resource}.manage", "GET", "POST")
    def new(request: HttpRequest) -> HttpResponse:
        form = kind.form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                kind.create(actor=actor_of(request), **form.cleaned_data)
                return done(request, address(account_of(request), kind.url_name), f"The {kind.noun} is there.")
            except ValidationError as error:
                add_errors(form, error)
        return _form(request, kind, form, f"New {kind.noun}")

    return new


def _edit(kind: Kind) -> Any:
    @tenant_page(f"{kind.resource}.manage", "GET", "POST")
    def edit(request: HttpRequest, kept_id: UUID) -> HttpResponse:
        row = _row(kind, kept_id)
        before = {name: getattr(row, name) for name in kind.form.base_fields}
        form = kind.form(request.POST if request.method == "POST" else None, initial=before)
        if form.is_valid():
            try:
                kind.update(row, actor=actor_of(request), **form.cleaned_data)
                return done(request, address(account_of(request), kind.url_name), "Saved.")
            except ValidationError as error:
                add_errors(form, error)
        return _form(request, kind, form, f"Edit the {kind.noun}")

    return edit


def _delete(kind: Kind) -> Any:
    @tenant_page(f"{kind.resource}.manage", "GET", "POST")
    def delete(request: HttpRequest, kept_id: UUID) -> HttpResponse:
        row, refusal = _row(kind, kept_id), ""
        back = address(account_of(request), kind.url_name)
        if request.method == "POST":
            try:
                name = str(row)
                kind.remove(row, actor=actor_of(request))
                return done(request, back, f"{name} is deleted.")
            except ValidationError as error:
                refusal = " ".join(error.messages)
        context = {"title": f"Delete the {kind.noun}?", "kind": kind, "row": row, "refusal": refusal, "back": back}
        return dialog(request, "chat/keeping/delete.html", context, status=422 if refusal else 200)

    return delete


def _form(request: HttpRequest, kind: Kind, form: forms.Form, title: str) -> HttpResponse:
    context = {"title": title, "kind": kind, "form": form, "back": address(account_of(request), kind.url_name)}
    return dialog(request, "chat/keeping/form.html", context, status=422 if form.errors else 200)


def _row(kind: Kind, kept_id: UUID) -> Any:
    """Held until the request ends. Raises Http404."""
    try:
        return kind.model.objects.select_for_update().get(pk=kept_id)
    except kind.model.DoesNotExist:
        raise Http404(f"No such {kind.noun}.") from None
