"""API keys: the list, and the dialogs that make, change, rotate and delete them."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.models import APIKey
from apps.accounts.pages.door import account_of, dialog, done, may, tenant_page
from apps.accounts.pages.forms import SCOPES, APIKeyForm, add_errors
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows, require
from apps.accounts.roles import Role
from apps.accounts.services import api_keys as service
from apps.accounts.tenancy.middleware import actor_of


@tenant_page("api_keys.view_own")
def api_keys(request: HttpRequest) -> HttpResponse:
    """All keys for admins, their own for members."""
    keys = list(_visible(request).select_related("created_by").order_by("-created_at"))
    rows = [{"key": key, "state": _state(key), "scopes": _scope_words(key)} for key in keys]
    context = {
        "rows": rows,
        "all_shown": allows(actor_of(request), "api_keys.view"),
        "may_create": may(request, "api_keys.create"),
    }
    return render(request, "accounts/api_keys/list.html", context)


@tenant_page("api_keys.create", "GET", "POST")
def create(request: HttpRequest) -> HttpResponse:
    """Make a key; the answer shows its text, once."""
    form = _form(request)
    if form.is_valid():
        try:
            made = service.create_api_key(actor=actor_of(request), **_values(form))
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _shown_once(request, made, f"“{made.row.name}” is ready")
    context = {"title": "New API key", "form": form, "button": "Make key"}
    return dialog(request, "accounts/api_keys/form.html", context, status=422 if form.errors else 200)


@tenant_page("api_keys.manage_own", "GET", "POST")
def change(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Change a key's name, role and limits."""
    key = _key(request, key_id)
    form = _form(request, key)
    if form.is_valid():
        try:
            service.update_api_key(key, actor=actor_of(request), **_values(form))
        except ValidationError as error:
            add_errors(form, error)
        else:
            return done(request, _list_url(request), f"“{key.name}” is saved.")
    context = {"title": f"Settings of “{form.initial['name']}”", "form": form, "button": "Save", "key": key}
    return dialog(request, "accounts/api_keys/form.html", context, status=422 if form.errors else 200)


@tenant_page("api_keys.manage_own", "POST")
def toggle(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Switch a key on or off."""
    key = _key(request, key_id)
    service.update_api_key(key, actor=actor_of(request), enabled=not key.enabled)
    words = f"“{key.name}” works again." if key.enabled else f"“{key.name}” is refused from now on."
    return done(request, _list_url(request), words)


@tenant_page("api_keys.manage_own", "GET", "POST")
def rotate(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Give a key new text, after asking; the answer shows it, once."""
    key = _key(request, key_id)
    if request.method == "POST":
        return _shown_once(request, service.rotate_api_key(key, actor=actor_of(request)), f"“{key.name}” has new text")
    return dialog(request, "accounts/api_keys/rotate.html", {"title": f"Rotate “{key.name}”?", "key": key})


@tenant_page("api_keys.manage_own", "GET", "POST")
def delete(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Remove a key, after asking."""
    key = _key(request, key_id)
    if request.method == "POST":
        service.delete_api_key(key, actor=actor_of(request))
        return done(request, _list_url(request), f"“{key.name}” is deleted.")
    return dialog(request, "accounts/api_keys/delete.html", {"title": f"Delete “{key.name}”?", "key": key})


def _visible(request: HttpRequest) -> Any:
    actor = actor_of(request)
    return (
        APIKey.objects.all() if allows(actor, "api_keys.view") else APIKey.objects.filter(created_by_id=actor.user_id)
    )


def _key(request: HttpRequest, key_id: UUID) -> APIKey:
    """A key the actor may manage: 404 for another account's, 403 for a colleague's."""
    key = APIKey.objects.filter(pk=key_id).first()
    if key is None:
        raise Http404("No such key.")
    if key.created_by_id != actor_of(request).user_id:
        require(actor_of(request), "api_keys.manage")
    return key


def _form(request: HttpRequest, key: APIKey | None = None) -> APIKeyForm:
    initial = {
        "name": key.name if key else "",
        "role": key.role if key else Role.MEMBER.value,
        "scopes": key.scopes if key else [],
        "expires_at": timezone.localtime(key.expires_at).date() if key and key.expires_at else None,
        "rate_limit_per_hour": key.rate_limit_per_hour if key else 1000,
        "cost_limit_per_month": key.cost_limit_per_month if key else None,
    }
    data = request.POST if request.method == "POST" else None
    return APIKeyForm(data, highest=actor_of(request).role or Role.VIEWER, initial=initial)


def _values(form: APIKeyForm) -> dict[str, Any]:
    """What the service takes: a key that ends on a day works through the whole of it."""
    values = dict(form.cleaned_data)
    if values["expires_at"]:
        values["expires_at"] = timezone.make_aware(datetime.combine(values["expires_at"], time.max))
    return values


def _state(key: APIKey) -> tuple[str, str]:
    if not key.enabled:
        return "off", "Disabled"
    if key.expires_at is None:
        return "ok", "Active"
    left = key.expires_at - timezone.now()
    if left.total_seconds() <= 0:
        return "off", "Ended"
    return ("warn", "Ends soon") if left.days < 7 else ("ok", "Active")


def _scope_words(key: APIKey) -> str:
    names = dict(SCOPES)
    return ", ".join(names.get(scope, scope).lower() for scope in key.scopes) or "everything the role may do"


def _shown_once(request: HttpRequest, made: service.CreatedKey, title: str) -> HttpResponse:
    context = {
        "title": title,
        "made": made,
        "scopes": _scope_words(made.row),
        "api": request.build_absolute_uri("/api/v1/"),
    }
    return dialog(request, "accounts/api_keys/created.html", context)


def _list_url(request: HttpRequest) -> str:
    return address(account_of(request), "api_keys")
