"""Celery entry points of this floor."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.accounts.tenancy.tasks import TenantTask
from apps.integrations.oauth import leftovers, renewing
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.webhooks import handing_on, refusals, retention
from apps.integrations.zerodb import holdings
from apps.integrations.zerodb.provisioning.aligning import align_all
from apps.integrations.zerodb.provisioning.reconciling import reconcile
from apps.integrations.zerodb.server.store.purge import purge_deleted_projects

logger = logging.getLogger(__name__)


@shared_task(name="integrations.reconcile_projects")
def reconcile_projects() -> dict[str, int]:
    """Give back AI projects that no account uses; beat calls this every hour."""
    try:
        return dict(reconcile())
    except OutboundError as error:
        logger.warning("The AI service can't be asked for its projects now (%s); in an hour again.", error)
        return {}


@shared_task(name="integrations.align_features")
def align_features() -> int:
    """Bring the AI projects in step with the feature switches; after a stage was changed, and by beat every hour."""
    return align_all()


@shared_task(name="integrations.count_holdings")
def count_holdings() -> int:
    """Count into the ledger what the accounts' AI projects hold, each once a day; beat calls this every hour."""
    return holdings.count_all(timezone.now())


@shared_task(name="integrations.purge_zerodb_projects")
def purge_zerodb_projects() -> int:
    """Empty the embedded server's projects that were deleted a month ago; beat calls this every hour."""
    return purge_deleted_projects()


@shared_task(name="integrations.hand_on_events")
def hand_on_events(account_id: str) -> int:
    """Tell the floors above of what outside services sent to an account."""
    return handing_on.hand_on(UUID(account_id))


@shared_task(name="integrations.sweep_events")
def sweep_events() -> int:
    """Hand on what a lost message left over; beat calls this every minute."""
    return handing_on.sweep()


@shared_task(name="integrations.clear_old_events")
def clear_old_events() -> int:
    """Empty events of outside services that are older than a month; beat calls this every hour."""
    return retention.clear_old_events(now=timezone.now())


@shared_task(name="integrations.renew_grants")
def renew_grants() -> int:
    """Have grants renewed that are due and in use; beat calls this every minute."""
    return renewing.sweep()


@shared_task(name="integrations.renew_grant")
def renew_grant(account_id: str, integration_id: str) -> None:
    """Renew the grant of one connection, if it is due."""
    renewing.renew(UUID(account_id), UUID(integration_id))


@shared_task(name="integrations.clear_left_grants")
def clear_left_grants() -> int:
    """Forget grants that no connection uses; beat calls this every hour."""
    return leftovers.clear_left(now=timezone.now())


@shared_task(base=TenantTask, name="integrations.record_refused_delivery")
def record_refused_delivery(account_id: str, integration_id: str, reason: str) -> None:
    """Write into the account's trail that a delivery was refused."""
    refusals.record(UUID(integration_id), reason)
