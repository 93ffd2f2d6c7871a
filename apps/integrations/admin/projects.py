"""AINative projects: the panel on an account's page (seed 000, phase 4), and the list of all."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin, scope_of
from apps.accounts.admin.changes import Change
from apps.accounts.admin.door import staff
from apps.accounts.admin.site import site
from apps.accounts.features import states_of
from apps.accounts.models import Account
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning import (
    AlreadyReady,
    RevealRefused,
    change_settings,
    enter_by_hand,
    project_of,
    request_provisioning,
    reveal_key,
)
from apps.integrations.zerodb.provisioning.aligning import FEATURES

REVEAL_SECONDS = 30
Status = AINativeProject.Status
STATUS_LABELS = {
    Status.PENDING.label: "info",
    Status.PROVISIONING.label: "info",
    Status.READY.label: "success",
    Status.FAILED.label: "danger",
    Status.SUSPENDED.label: "warning",
}


def panel(account: Account) -> dict[str, Any]:
    """What the account's page shows of its project."""
    project = project_of(account)
    return {
        "project": project,
        "kind": STATUS_LABELS[project.get_status_display()],
        "settings": json.dumps(project.settings, indent=2),
        "form": EnterForm(),
        "may_provision": not project.is_ready,
    }


class EnterForm(forms.Form):
    """A project that was made elsewhere."""

    project_id = forms.CharField(
        label="Project ID", max_length=100, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    api_key = forms.CharField(
        label="API key",
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "placeholder": "checked before it is saved"}),
    )


class RevealForm(forms.Form):
    """The password again."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The settings that can be changed; dimensions follow from the model."""

    embeddings_model = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    auto_indexing = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)
    same_matter_from = forms.FloatField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="How alike texts must be for suggestions, 0.05 to 0.95. Empty: what fits the model.",
    )
    semantic_search = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)
    smart_suggestions = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)
    agent_memory = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = AINativeProject
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.settings
        self.initial["embeddings_model"] = known.get("embeddings_model", "")
        self.initial["auto_indexing"] = known.get("auto_indexing", True)
        self.initial["same_matter_from"] = known.get("same_matter_from")
        states = states_of(self.instance.account_id) if self.instance.account_id else []
        self.initial.update({state.feature.name: state.enabled for state in states})

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        chosen = self.cleaned_data
        return {
            "embeddings_model": chosen["embeddings_model"],
            "auto_indexing": chosen["auto_indexing"],
            "same_matter_from": chosen["same_matter_from"],
            "features": {name: chosen[name] for name in FEATURES},
        }


def _provisioned(project: AINativeProject, actor: Actor) -> str:
    request_provisioning(account=project.account, actor=actor)
    return f"{project.account.name}: provisioning is in line. The state here follows it."


@admin.register(AINativeProject, site=site)
class AINativeProjectAdmin(PlatformModelAdmin):
    """One project for each account. The key is masked; revealing asks for the password and is recorded."""

    form = SettingsForm
    list_display = ("account", "state", "project_id", "key", "problem", "provisioned_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("entered_by_hand", BooleanRadioFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "account__slug", "=project_id", "error")
    search_help_text = "Account, project id or words of the error"
    ordering = ("-created_at",)
    readonly_fields = ("account", "state", "project_id", "key", "error", "dimensions", "provisioned_at")
    fields = (
        *("account", "state", "project_id", "key", "error", "provisioned_at"),
        *("embeddings_model", "dimensions", "auto_indexing", "same_matter_from", *FEATURES),
    )
    changes = (
        Change(
            "provision",
            "Auto-provision project…",
            "Creates one AINative project for this account and stores its id and key. Safe to press twice: an account "
            "never gets a second one.",
            _provisioned,
            applies=lambda project: not project.is_ready,
            icon="rocket_launch",
            refusals=(AlreadyReady,),
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def trail_label(self, row: Any) -> str:
        return ""  # an account has one

    def get_queryset(self, request: HttpRequest) -> QuerySet[AINativeProject]:
        return super().get_queryset(request).select_related("account").defer("api_key")

    def save_model(self, request: HttpRequest, obj: AINativeProject, form: Any, change: bool) -> None:
        """Through the service: checked, recorded in the account's trail."""
        with scope_of(obj):
            change_settings(AINativeProject.objects.get(pk=obj.pk), actor=staff(request), **form.values())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/reveal/", view(self.reveal), name="integrations_ainativeproject_reveal"),
            path("<path:object_id>/enter/", view(self.enter), name="integrations_ainativeproject_enter"),
        ]
        return own + super().get_urls()

    def _project(self, request: HttpRequest, object_id: str) -> AINativeProject:
        project = self.get_object(request, object_id)
        if project is None:
            raise Http404("No such project.")
        return project

    @method_decorator(sensitive_post_parameters("password"))
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the password; show the key in the answer to it, once, for half a minute."""
        project = self._project(request, object_id)
        form = RevealForm(request.POST if request.method == "POST" else None)
        key = ""
        if form.is_valid():
            key = self._revealed(request, project, form)
        context = {"project": project, "form": form, "key": key, "seconds": REVEAL_SECONDS, "title": "Reveal key"}
        return self._page(request, "admin/integrations/reveal.html", project, context, 422 if form.errors else 200)

    def _revealed(self, request: HttpRequest, project: AINativeProject, form: RevealForm) -> str:
        try:
            with scope_of(project):
                own = AINativeProject.objects.get(pk=project.pk)
                password = form.cleaned_data["password"]
                return reveal_key(own, user=request.user, password=password, actor=staff(request))  # type: ignore[arg-type]
        except (RevealRefused, LookupError) as refused:
            form.add_error("password", str(refused))
            return ""

    @method_decorator(sensitive_post_parameters("api_key"))
    def enter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Check id and key against the live service, and save them when they work."""
        project = self._project(request, object_id)
        form = EnterForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                with scope_of(project):
                    enter_by_hand(account=project.account, actor=staff(request), **form.cleaned_data)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, f"{project.account.name} has its project: checked and saved.")
                return HttpResponseRedirect(reverse("admin:accounts_account_change", args=[project.account_id]))
        context = {"project": project, "form": form, "title": "Enter a project"}
        return self._page(request, "admin/integrations/enter.html", project, context, 422 if form.errors else 200)

    def _page(
        self, request: HttpRequest, template: str, project: AINativeProject, context: dict[str, Any], status: int
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "original": project}
        return TemplateResponse(request, template, {**shared, **context}, status=status)

    @display(description="State", ordering="status", label=STATUS_LABELS)
    def state(self, project: AINativeProject) -> str:
        return project.get_status_display()

    @display(description="API key")
    def key(self, project: AINativeProject) -> str:
        return project.masked_key or "–"

    @display(description="Vector dimensions")
    def dimensions(self, project: AINativeProject) -> str:
        return str(project.settings.get("vector_dimensions", "–"))

    @display(description="Last error")
    def problem(self, project: AINativeProject) -> str:
        return project.error if len(project.error) <= 80 else f"{project.error[:79]}…"
