"""``account/features``: what is switched on, and switching it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.problems import FieldError, invalid
from apps.accounts.api.serializers import Input, Text
from apps.accounts.api.views import AccountView, checked
from apps.accounts.features.choosing import choose
from apps.accounts.features.registry import UnknownFeature, feature, features
from apps.accounts.features.states import FeatureState, states_of
from apps.accounts.models import Account, Stage


class FeatureSerializer(Input):
    """One feature. To switch it, send `name` and `enabled`; whatever else was read may come along."""

    name = Text(max_length=60)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    description = serializers.CharField(read_only=True)
    enabled = serializers.BooleanField(
        allow_null=True,
        required=False,
        help_text="Where the switch stands. Null withdraws the account's choice: it follows the operator's stage.",
    )
    choice = serializers.BooleanField(
        read_only=True, allow_null=True, help_text="What the account chose; null: it follows the operator's stage."
    )
    stage = serializers.ChoiceField(
        choices=Stage.choices, read_only=True, help_text="How far the operator lets it out."
    )
    available = serializers.BooleanField(
        read_only=True, help_text="Whether the account can have it now. It works when it is enabled and available."
    )
    reason = serializers.CharField(read_only=True, help_text="Why it does not work, in words; empty when it does.")
    reason_code = serializers.CharField(
        read_only=True, help_text="`not_available`, `not_switched_on`, `switched_off`, `needs_project`, or empty."
    )


class FeaturesSerializer(Input):
    """The features of the account."""

    features = FeatureSerializer(many=True)


def show_features(account: Account) -> dict[str, Any]:
    """An account's features as outsiders read them."""
    return {"features": [_shown(state) for state in states_of(account)]}


def _shown(state: FeatureState) -> dict[str, Any]:
    return {
        "name": state.feature.name,
        "label": state.feature.label,
        "description": state.feature.description,
        "enabled": state.enabled,
        "choice": state.choice,
        "stage": state.stage,
        "available": state.available,
        "reason": f"{state.feature.label} {state.words}." if state.code else "",
        "reason_code": state.code,
    }


class AccountFeaturesView(AccountView):
    """The switches of the account in scope."""

    is_single = True
    actions: ClassVar = {"GET": "features.view", "PATCH": "features.manage"}

    @extend_schema(operation_id="account_features", summary="Read the features", responses=FeaturesSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Each with its switch, whether it works, and why not."""
        return answer_object(request, show_features(self.account))

    @extend_schema(
        operation_id="account_features_switch",
        summary="Switch features",
        request=FeaturesSerializer,
        responses=FeaturesSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        """All of them or none. Features that are left out stay, and so does what is sent as it stands."""
        Account.objects.select_for_update(no_key=True).only("id").get(pk=self.account.pk)
        check_unchanged(request, lambda: show_features(self.account))
        wanted = checked(FeaturesSerializer(data=_listed(self.request.data)))["features"]
        _check_names(wanted)
        for one in wanted:
            if "enabled" in one:
                choose(one["name"], one["enabled"], account=self.account, actor=self.actor)
        return answer_object(request, show_features(self.account))


def _listed(body: Any) -> Any:
    """``{"agent_memory": false}``, also below ``features``, says the same as the list does."""
    named = body.get("features", body) if isinstance(body, dict) else None
    if not isinstance(named, dict) or not named or not named.keys() <= {one.name for one in features()}:
        return body
    return {"features": [{"name": name, "enabled": enabled} for name, enabled in named.items()]}


def _check_names(wanted: list[dict[str, Any]]) -> None:
    errors = []
    for number, one in enumerate(wanted):
        try:
            feature(one["name"])
        except UnknownFeature:
            errors.append(FieldError(f"features.{number}.name", "unknown", "There is no such feature."))
    if errors:
        raise invalid(errors)
