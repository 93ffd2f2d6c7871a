"""The pages of the mailbox; only local settings give them an address (config/urls.py)."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache

from apps.accounts.mailbox.store import all_mails, one_mail


@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """Every kept message, newest first."""
    return render(request, "accounts/mailbox/list.html", {"mails": all_mails()})


@never_cache
def message(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One message, with its links to click."""
    mail = one_mail(mail_id)
    if mail is None:
        raise Http404("No such mail.")
    return render(request, "accounts/mailbox/message.html", {"mail": mail})


urlpatterns = [path("", mailbox, name="dev_mail"), path("<uuid:mail_id>/", message, name="dev_mail_message")]
