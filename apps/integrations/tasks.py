"""Celery entry points of this floor."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.integrations.outbound.errors import OutboundError
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


@shared_task(name="integrations.purge_zerodb_projects")
def purge_zerodb_projects() -> int:
    """Empty the embedded server's projects that were deleted a month ago; beat calls this every hour."""
    return purge_deleted_projects()
