"""What the admin's screens share: nothing is saved or deleted past a service, and what staff open is recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline

from apps.accounts import audit
from apps.accounts.admin.changes import Change, carry_out
from apps.accounts.admin.door import staff
from apps.accounts.models import Account
from apps.accounts.tenancy.models import TenantModel
from apps.accounts.tenancy.scope import tenant

VIEW_RECORDED_SECONDS = 300
"""Opening the same page again within this time is the same look."""


def scope_of(row: Model) -> AbstractContextManager[Any]:
    """The scope in which ``row`` is changed: its account's, so that the account's own trail tells of it."""
    if isinstance(row, Account):
        return tenant(row.id)
    if isinstance(row, TenantModel):
        assert row.account_id is not None
        return tenant(row.account_id)
    return nullcontext()


class PlatformModelAdmin(ModelAdmin):
    """Read-only unless a subclass says otherwise. ``changes`` are offered in the list and on the object's page."""

    changes: tuple[Change, ...] = ()
    list_filter_submit = True
    list_per_page = 50
    compressed_fields = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- looking

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, under its own name: most of these lists are no selection of something to change."""
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The object's page. What a service refuses is shown there, and nothing is saved."""
        try:
            answer = super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(request.get_full_path())
        if object_id and request.method == "GET" and answer.status_code == 200:
            self._record_look(request, self.get_object(request, object_id))
        return answer

    def _record_look(self, request: HttpRequest, row: Any) -> None:
        if not isinstance(row, TenantModel | Account):
            return
        actor = staff(request)
        mark = f"staff-viewed:{actor.id}:{row._meta.model_name}:{row.pk}"
        if cache.add(mark, True, VIEW_RECORDED_SECONDS):
            with scope_of(row):
                audit.record("staff.viewed", actor=actor, entity=row, label=self.trail_label(row))

    def trail_label(self, row: Any) -> str:
        """What the trail calls ``row``."""
        return str(row)

    # --- doing

    def get_urls(self) -> list[URLPattern]:
        info = (self.model._meta.app_label, self.model._meta.model_name)
        own = [
            path(
                "<path:object_id>/do/<slug:name>/",
                self.admin_site.admin_view(self.change_page),
                name="{}_{}_do".format(*info),
            )
        ]
        return own + super().get_urls()

    def _change(self, name: str) -> Change:
        for change in self.changes:
            if change.name == name:
                return change
        raise Http404("No such change.")

    def change_page(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask whether to do it to one object (GET), and do it (POST)."""
        change, row = self._change(name), self.get_object(request, object_id)
        if row is None:
            raise Http404("No such object.")
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        if request.method == "POST":
            carry_out(change, [row], request, staff(request), scope_of)
            return HttpResponseRedirect(back)
        return self._ask(request, change, [row], back)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        for change in self.changes:
            if change.in_lists:
                actions[change.name] = (partial(_in_list, change), change.name, change.label)
        return actions

    def do_in_list(self, change: Change, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """Ask whether to do it to the chosen rows, and do it when asked to."""
        if request.POST.get("confirmed") == "yes":
            carry_out(change, rows, request, staff(request), scope_of)
            return None
        return self._ask(request, change, list(rows), request.get_full_path())

    def _ask(self, request: HttpRequest, change: Change, rows: list[Any], back: str) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": change.label.rstrip("…"),
            "opts": self.opts,
            "change": change,
            "rows": rows,
            "in_list": request.method == "POST",
            "back": back,
        }
        return TemplateResponse(request, "admin/confirm_change.html", context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None:
            context["actions_detail"] = [*context.get("actions_detail", []), *self._buttons(row)]
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, row: Any) -> list[dict[str, Any]]:
        """The harmless ones side by side, those that take something away in a menu."""
        fitting = [change for change in self.changes if change.applies(row)]
        buttons = [self._button(row, change) for change in fitting if not change.danger]
        if dangers := [self._button(row, change) for change in fitting if change.danger]:
            buttons.append({"title": "More", "icon": "more_horiz", "items": dangers, "method_name": "more"})
        return buttons

    def _button(self, row: Any, change: Change) -> dict[str, Any]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_do"
        return {
            "title": change.label,
            "icon": change.icon,
            "variant": change.variant,
            "attrs": {},
            "path": reverse(name, args=[str(row.pk), change.name]),
        }


def _in_list(change: Change, admin: PlatformModelAdmin, request: HttpRequest, rows: QuerySet[Any]) -> Any:
    return admin.do_in_list(change, request, rows)


class ReadOnlyInline(TabularInline):
    """Rows of another model on an object's page, with a link to their own pages."""

    extra = 0
    tab = True
    show_change_link = True
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
