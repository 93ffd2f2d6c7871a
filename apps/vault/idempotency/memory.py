"""The rows that remember requests."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from apps.accounts.tenancy.lock_waits import wait_at_most, waited_too_long
from apps.accounts.tenancy.scope import platform
from apps.vault.models import RememberedRequest

KEPT_FOR = timedelta(hours=24)
WAIT_SECONDS = 30
"""How long a twin waits for the first request to end."""


class StillRunning(RuntimeError):
    """The first request with this key has not ended within WAIT_SECONDS."""


def claim(key: str) -> tuple[RememberedRequest, bool]:
    """The row of ``key`` and whether it is ours: made now (True), or of a request that was done before (False).

    Waits while another request with the key runs. Raises StillRunning.
    """
    while True:
        mine = _insert(key)
        if mine is not None:
            return mine, True
        found = RememberedRequest.objects.filter(key=key).first()
        if found is not None and found.created_at > timezone.now() - KEPT_FOR:
            return found, False
        if found is not None:
            # Run out but not purged yet: its key is free again.
            RememberedRequest.objects.filter(pk=found.pk).delete()


def _insert(key: str) -> RememberedRequest | None:
    row = RememberedRequest(key=key)
    try:
        with transaction.atomic():
            wait_at_most(WAIT_SECONDS)
            row.save(force_insert=True)
            wait_at_most(0)
    except IntegrityError:
        return None
    except OperationalError as error:
        if waited_too_long(error):
            raise StillRunning from error
        raise
    return row


def purge(*, now: datetime) -> int:
    """Remove the rows of all accounts that have run out. Returns how many."""
    with platform("remove answers kept for repeated requests"):
        return int(RememberedRequest.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0])
