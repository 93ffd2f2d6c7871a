"""Contradictions in the settings of integrations, found before anything starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.integrations.outbound.addresses import AllowList
from apps.integrations.providers import providers
from apps.integrations.zerodb.embedding.configured import fault_of_folder, faults_of_settings
from apps.integrations.zerodb.embedding.registry import built_in_names

_FOLDER = "It takes model.onnx as exported for feature extraction, with the tokenizer.json and config.json beside it."
_RECIPE = "docs/add-a-provider.md says what a provider's folder holds."


@register("integrations")
def zerodb_settings(**_: Any) -> list[CheckMessage]:
    """A server and its key belong together."""
    url, key = settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY
    found: list[CheckMessage] = []
    if key and not url:
        found.append(
            Error(
                "ZERODB_MASTER_API_KEY is set, but not the server it is for.",
                hint="Set ZERODB_API_URL, for example https://api.ainative.studio/v1/public, or remove the key to use "
                "the embedded server.",
                id="integrations.E001",
            )
        )
    if url and not key:
        found.append(
            Warning(
                "ZERODB_API_URL is set without ZERODB_MASTER_API_KEY: no project can be made for new accounts.",
                hint="Set ZERODB_MASTER_API_KEY to a key of your account there.",
                id="integrations.W001",
            )
        )
    return found


@register("integrations")
def embedding_models_can_be_used(**_: Any) -> list[CheckMessage]:
    """What the operator said of embedding models must be whole."""
    return [Error(words, id="integrations.E006") for words in faults_of_settings(built_in_names())]


@register("integrations", deploy=True)
def embedding_model_in_folder_runs(**_: Any) -> list[CheckMessage]:
    """The operator's model must run. Loading it may take seconds and gigabytes: with ``--deploy`` alone."""
    if not settings.EMBEDDING_MODEL_DIR or faults_of_settings(built_in_names()):
        return []
    fault = fault_of_folder()
    return [Error(fault, hint=_FOLDER, id="integrations.E007")] if fault else []


@register("integrations")
def opened_addresses_are_addresses(**_: Any) -> list[CheckMessage]:
    """Every entry of OUTBOUND_ALLOW must open something."""
    try:
        AllowList.of(settings.OUTBOUND_ALLOW)
    except ValueError as error:
        return [Error(f"OUTBOUND_ALLOW: {error}", hint="Such as 10.1.0.0/16,crm.internal:8443", id="integrations.E003")]
    return []


@register("integrations")
def providers_are_well_declared(**_: Any) -> list[CheckMessage]:
    """Every folder in ``providers/`` must hold a provider that can be connected."""
    try:
        known = providers()
    except (ImportError, AttributeError, ValueError) as error:
        return [Error(f"A provider can't be read: {error}", hint=_RECIPE, id="integrations.E004")]
    return [
        Error(f"The provider {name}: {fault}", hint=_RECIPE, id="integrations.E005")
        for name, entry in known.items()
        for fault in entry.faults()
    ]
