"""Feature switches: how far each feature is let out, whom a stage reaches before it is set, and what accounts chose."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from apps.accounts.actors import Actor
from apps.accounts.admin.account_panels import AccountPanel, add_account_panel
from apps.accounts.admin.base import PlatformModelAdmin
from apps.accounts.admin.changes import Change, carry_out
from apps.accounts.admin.door import staff
from apps.accounts.admin.site import site
from apps.accounts.features import FeatureOff, features, states_of
from apps.accounts.features.choosing import choose
from apps.accounts.features.registry import Feature, UnknownFeature, feature
from apps.accounts.features.staging import Reach, in_words, reach, set_stage, stage_now, stage_rows
from apps.accounts.models import Account, FeatureChoice, FeatureStage, Stage
from apps.accounts.tenancy.scope import tenant

_MEANINGS = {
    Stage.OFF: "nobody has it, whatever accounts chose",
    Stage.OPT_IN: "an account has it once it switches it on",
    Stage.PERCENT: "some have it from the start, the others may switch it on, and all may switch it off",
    Stage.ON: "every account has it until it switches it off",
}
_PILLS = {"Off": "off", "Opt-in": "info", "On, with opt-out": "success"}
_CHOICES: dict[str, tuple[bool | None, str, str]] = {
    "on": (True, "Switch on", "is switched on for the account, as if it had done so itself; it may switch it off."),
    "off": (False, "Switch off", "is switched off for the account, whatever its stage; it may switch it on again."),
    "follow": (None, "Withdraw the choice", "follows the stage again, as for accounts that chose nothing."),
}


class StageForm(forms.Form):
    """A stage, and the share that goes with one of them."""

    stage = forms.ChoiceField(
        choices=[(stage.value, f"{stage.label}: {_MEANINGS[stage]}") for stage in Stage],
        widget=forms.RadioSelect,
    )
    percent = forms.IntegerField(
        min_value=0,
        max_value=100,
        required=False,
        label="Share of accounts in per cent",
        help_text="Counts for “A share of accounts”. Raising it only adds accounts.",
        error_messages=dict.fromkeys(("min_value", "max_value", "invalid"), "Use a whole number from 0 to 100."),
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 0, "max": 100, "inputmode": "numeric"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("stage") == Stage.PERCENT and values.get("percent") is None and "percent" not in self.errors:
            self.add_error("percent", "Say how many of a hundred accounts.")
        return values

    @property
    def wanted(self) -> tuple[str, int]:
        """Stage and percent."""
        return self.cleaned_data["stage"], self.cleaned_data.get("percent") or 0


@admin.register(FeatureStage, site=site)
class FeatureStageAdmin(PlatformModelAdmin):
    """Every declared feature. Its stage is changed on its page, after the reach of the new one has been shown."""

    list_display = ("identity", "stage_label", "reached", "own_choices", "changed_at")
    list_filter_submit = False
    search_fields = ("feature",)
    search_help_text = "Name of a feature"
    ordering = ("feature",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeatureStage]:
        return super().get_queryset(request).filter(feature__in=[one.name for one in features()])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        stage_rows()
        return super().changelist_view(request, extra_context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:object_id>/reach/", view(self.reach_part), name="accounts_featurestage_reach"),
            path(
                "<slug:name>/of/<uuid:account_id>/<slug:choice>/",
                view(self.choice_page),
                name="accounts_featurestage_choice",
            ),
        ]
        return own + super().get_urls()

    # --- the stage

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The stage with the reach of what is chosen; then the question; then the change."""
        row = self.get_object(request, object_id) if object_id else None
        if row is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        one = feature(row.feature)
        stage, percent = stage_now(row.feature)
        form = StageForm(request.POST or None, initial={"stage": stage, "percent": percent})
        if not form.is_valid():
            context = {"form": form, "reach": reach(row.feature, stage, percent), "to": in_words(stage, percent)}
            return self._page(request, row, one, "stage", context, 422 if form.errors else 200)
        if form.wanted == (stage, percent):
            messages.info(request, f"{one.label} is there already: {in_words(stage, percent)}.")
            return HttpResponseRedirect(request.path)
        if request.POST.get("confirmed") != "yes":
            context = {"form": form, "reach": reach(row.feature, *form.wanted), "to": in_words(*form.wanted)}
            return self._page(request, row, one, "confirm", context)
        set_stage(row.feature, stage=form.wanted[0], percent=form.wanted[1], actor=staff(request))
        messages.success(request, f"{one.label} is now: {in_words(*form.wanted)}. Accounts notice within seconds.")
        return HttpResponseRedirect(reverse("admin:accounts_featurestage_changelist"))

    def reach_part(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Whom the stage in the form would reach, while it is being chosen."""
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404("No such feature.")
        form = StageForm(request.GET)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            context |= {"reach": reach(row.feature, *form.wanted), "to": in_words(*form.wanted)}
        return TemplateResponse(request, "admin/features/reach.html", context)

    def _page(
        self,
        request: HttpRequest,
        row: FeatureStage,
        one: Feature,
        name: str,
        context: dict[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": one.label,
            "feature": one,
            "now": in_words(*stage_now(row.feature)),
        }
        return TemplateResponse(request, f"admin/features/{name}.html", {**shared, **context}, status=status)

    # --- one account's choice

    def choice_page(self, request: HttpRequest, name: str, account_id: UUID, choice: str) -> HttpResponse:
        """Ask whether to switch a feature for one account (GET), and do it in its name (POST)."""
        account = Account.objects.filter(pk=account_id).first()
        try:
            one, (enabled, label, consequence) = feature(name), _CHOICES[choice]
        except (UnknownFeature, KeyError):
            raise Http404("No such feature.") from None
        if account is None:
            raise Http404("No such account.")
        change = Change(
            f"feature_{choice}",
            f"{label}: {one.label}",
            f"{one.label} {consequence}",
            partial(_choose, name=name, enabled=enabled),
            refusals=(FeatureOff,),
        )
        back = reverse("admin:accounts_account_change", args=[account.pk])
        if request.method == "POST":
            carry_out(change, [account], request, staff(request), lambda row: tenant(row.id))
            return HttpResponseRedirect(back)
        return self._ask(request, change, [account], back)

    # --- columns

    @display(description="Feature", ordering="feature", header=True)
    def identity(self, row: FeatureStage) -> list[Any]:
        return [feature(row.feature).label, row.feature]

    @display(description="Stage", label=_PILLS)
    def stage_label(self, row: FeatureStage) -> str:
        stage, percent = stage_now(row.feature)
        words = in_words(stage, percent)
        return words[:1].upper() + words[1:]

    @display(description="On for")
    def reached(self, row: FeatureStage) -> str:
        return share_words(self._reach(row))

    @display(description="Chose for themselves")
    def own_choices(self, row: FeatureStage) -> str:
        found = self._reach(row)
        return f"{found.chose_on:,} on, {found.chose_off:,} off"

    def _reach(self, row: FeatureStage) -> Reach:
        kept: Reach | None = getattr(row, "reach_now", None)
        if kept is None:
            kept = row.reach_now = reach(row.feature, *stage_now(row.feature))  # type: ignore[attr-defined]
        return kept


@admin.register(FeatureChoice, site=site)
class FeatureChoiceAdmin(PlatformModelAdmin):
    """What accounts chose for themselves; changed on an account's page."""

    list_display = ("label", "account", "enabled", "updated_at")
    list_filter = (("account", AutocompleteSelectFilter), ("enabled", BooleanRadioFilter))
    list_select_related = ("account",)
    search_fields = ("feature", "account__name", "account__slug")
    search_help_text = "Feature or account"
    ordering = ("-updated_at",)
    fields = ("id", "account", "feature", "enabled", "created_at", "updated_at")
    readonly_fields = fields

    @display(description="Feature", ordering="feature")
    def label(self, row: FeatureChoice) -> str:
        try:
            return feature(row.feature).label
        except UnknownFeature:
            return row.feature


def share_words(found: Reach) -> str:
    """ "84 of 126 accounts (67 %)"."""
    return f"{found.reached:,} of {found.accounts:,} account{'' if found.accounts == 1 else 's'} ({found.share:.3g} %)"


def _choose(account: Account, actor: Actor, *, name: str, enabled: bool | None) -> str:
    state = choose(name, enabled, account=account, actor=actor)
    return f"{account.name}: {state.feature.label} is {'on' if state.enabled else 'off'}."


def _panel(account: Account) -> dict[str, Any]:
    rows = []
    for state in states_of(account):
        offered = [
            choice
            for choice in ("on", "off", "follow")
            if (choice == "on" and not state.enabled and state.stage != Stage.OFF)
            or (choice == "off" and state.enabled)
            or (choice == "follow" and state.choice is not None)
        ]
        rows.append(
            {
                "state": state,
                "stage": in_words(state.stage, state.percent),
                "offered": [{"name": choice, "label": _CHOICES[choice][1]} for choice in offered],
            }
        )
    return {"account_id": account.id, "rows": rows}


add_account_panel(AccountPanel("admin/features/panel.html", _panel))
