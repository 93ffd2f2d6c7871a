"""Which ZeroDB server this installation uses, and with which key.

``ZERODB_API_URL`` and ``ZERODB_MASTER_API_KEY`` name a server elsewhere; with neither, the embedded one serves.
"""

from __future__ import annotations

from django.conf import settings

from apps.integrations.outbound.breaker import Breaker
from apps.integrations.outbound.http import timeout_of
from apps.integrations.zerodb.client.account import AccountClient
from apps.integrations.zerodb.client.embedded import BASE_URL, EmbeddedTransport, apart
from apps.integrations.zerodb.client.errors import NotConfigured
from apps.integrations.zerodb.client.project import ProjectClient
from apps.integrations.zerodb.server.platform_caller import ensure_platform_key


def is_embedded() -> bool:
    """Whether the server is the one inside this product."""
    return not settings.ZERODB_API_URL


def server_name() -> str:
    """The server in words that an operator knows it by."""
    return "the embedded ZeroDB server" if is_embedded() else settings.ZERODB_API_URL


def account_client() -> AccountClient:
    """The platform's own account at the server. Raises NotConfigured."""
    if is_embedded():
        return embedded_account_client()
    if not settings.ZERODB_MASTER_API_KEY:
        raise NotConfigured(
            f"ZERODB_API_URL names {settings.ZERODB_API_URL} but there is no key for it. Set ZERODB_MASTER_API_KEY."
        )
    return AccountClient(
        settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY, timeout=timeout_of(settings.ZERODB_TIMEOUT_SECONDS)
    )


def embedded_account_client() -> AccountClient:
    """The platform's own account at the embedded server, whichever one is in use."""
    return AccountClient(BASE_URL, apart(ensure_platform_key), transport=EmbeddedTransport(), breaker=_own_circuit())


def _own_circuit() -> Breaker:
    """For this client alone: in here fails one model or one account's data, which must not shut out all others."""
    return Breaker("The AI service")


def project_client(project_id: str, api_key: str, *, somebody_waits: bool = False) -> ProjectClient:
    """One project, with its own key.

    While ``somebody_waits``, a server elsewhere has ZERODB_PATIENCE_SECONDS for all calls together, and so has the
    embedded one where it may have to ask an embedding service elsewhere.
    """
    patience = settings.ZERODB_PATIENCE_SECONDS if somebody_waits else None
    if is_embedded():
        return ProjectClient(
            BASE_URL,
            api_key,
            project_id,
            transport=EmbeddedTransport(),
            breaker=_own_circuit(),
            patience=patience if settings.EMBEDDING_API_URL else None,
        )
    return ProjectClient(
        settings.ZERODB_API_URL,
        api_key,
        project_id,
        timeout=timeout_of(settings.ZERODB_TIMEOUT_SECONDS),
        patience=patience,
    )
