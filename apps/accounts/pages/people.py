"""Pages of a person, outside of any account: where to go, another account, profile, sessions, theme."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.doors import SESSION_ACCOUNT
from apps.accounts.models import User
from apps.accounts.pages.forms import NewAccountForm, ProfileForm, add_errors
from apps.accounts.pages.shell import address
from apps.accounts.selectors import memberships_of
from apps.accounts.services.create_account import create_account
from apps.accounts.services.sessions import end_session
from apps.accounts.services.update_profile import update_profile


def person(request: HttpRequest) -> User:
    """The signed-in user of a request behind ``login_required``."""
    assert isinstance(request.user, User)
    return request.user


@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the account one was in last, else to making one; super admins to the admin."""
    if person(request).is_superuser:
        return redirect("admin:index")
    places = memberships_of(person(request))
    if not places:
        return redirect("account_new")
    here = request.session.get(SESSION_ACCOUNT)
    last = max(places, key=lambda place: (str(place.account_id) == here, place.last_seen_at or place.created_at))
    return HttpResponseRedirect(address(last.account))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_account(request: HttpRequest) -> HttpResponse:
    """Another account, with the person as its owner."""
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            account = create_account(name=form.cleaned_data["name"], owner=person(request))
        except ValidationError as error:
            add_errors(form, error)
        else:
            return HttpResponseRedirect(address(account))
    context = {"form": form, "has_others": bool(memberships_of(person(request)))}
    return render(request, "accounts/new_account.html", context, status=422 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name and look."""
    user = person(request)
    form = ProfileForm(
        request.POST if request.method == "POST" else None, initial={"name": user.name, "theme": user.theme}
    )
    if form.is_valid():
        update_profile(user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("account_profile")
    return render(request, "account/profile.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark (the switch in the side bar)."""
    wanted = request.POST.get("theme", "")
    if wanted not in {"", "light", "dark"}:
        return HttpResponse(status=400)
    update_profile(person(request), theme=wanted)
    return HttpResponse(status=204)


@login_required
@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign oneself out elsewhere."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    end_session(session, user=person(request))
    messages.success(request, "That session is signed out.")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = ""
    return redirect(back or "usersessions_list")
