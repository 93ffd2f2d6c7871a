"""Lists of what accounts own by the million, or keep from each other: shown for one account at a time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.paginator import InfinitePaginator

from apps.accounts import audit
from apps.accounts.admin.base import VIEW_RECORDED_SECONDS, PlatformModelAdmin
from apps.accounts.admin.door import staff
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant

PARAMETER = "account__id__exact"


class OneAccountAdmin(PlatformModelAdmin):
    """Empty until an account is chosen; that the list of one was looked through stands in its trail."""

    list_before_template = "admin/choose_account.html"
    list_note = ""
    account_filter = ("account", AutocompleteSelectFilter)
    show_full_result_count = False
    paginator = InfinitePaginator

    def chosen_account(self, request: HttpRequest) -> UUID | None:
        """The account of the list's filter."""
        try:
            return UUID(request.GET.get(PARAMETER, ""))
        except ValueError:
            return None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.none() if is_list and self.chosen_account(request) is None else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        account_id = self.chosen_account(request)
        account = Account.objects.filter(pk=account_id).first() if account_id else None
        if account is not None:
            self._record_list(request, account)
        context = {**(extra_context or {}), "chosen_account": account, "list_note": self.list_note}
        return super().changelist_view(request, context)

    def _record_list(self, request: HttpRequest, account: Account) -> None:
        actor = staff(request)
        what = str(self.opts.verbose_name_plural)
        if cache.add(f"staff-listed:{actor.id}:{self.opts.label_lower}:{account.pk}", True, VIEW_RECORDED_SECONDS):
            with tenant(account):
                audit.record("staff.listed", actor=actor, entity=account, label=account.name, changes={"list": what})
