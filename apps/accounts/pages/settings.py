"""The account's own settings."""

from __future__ import annotations

import phonenumbers
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import account_of, done, may, tenant_page
from apps.accounts.pages.forms import AccountForm, add_errors
from apps.accounts.pages.regions import regions
from apps.accounts.pages.shell import address
from apps.accounts.services.update_account import update_account
from apps.accounts.tenancy.middleware import actor_of


@tenant_page("account.view", "GET", "POST")
def settings(request: HttpRequest) -> HttpResponse:
    """Name, address and country; read-only for those who may not change them."""
    account = account_of(request)
    may_change = may(request, "account.update")
    if request.method == "POST":
        form = AccountForm(request.POST, regions=regions())
        if form.is_valid():
            try:
                update_account(account, actor=actor_of(request), **form.cleaned_data)
            except ValidationError as error:
                account.refresh_from_db()
                add_errors(form, error)
            else:
                return done(request, address(account, "settings"), "Saved.")
    else:
        form = AccountForm(
            initial={"name": account.name, "slug": account.slug, "default_region": account.default_region},
            regions=regions(),
        )
    context = {
        "form": form,
        "may_change": may_change,
        "may_leave": may(request, "account.view"),
        "region_name": dict(regions()).get(account.default_region, account.default_region),
        "example": _example(account.default_region),
    }
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


def _example(region: str) -> str:
    """A phone number as people in ``region`` write it at home."""
    number = phonenumbers.example_number(region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL) if number else ""
