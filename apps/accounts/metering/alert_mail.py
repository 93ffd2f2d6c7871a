"""The mail to owners and admins when a limit comes near, as a job: a mail server that is away delays it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.emails import MailRefused, MailServerAway, send_limit_alert
from apps.accounts.jobs import Retry, RunningJob, job_kind
from apps.accounts.metering.alerts import KIND
from apps.accounts.metering.limits import label_of
from apps.accounts.models import LimitAlert, Membership
from apps.accounts.roles import Role


@job_kind(KIND, label="mail about a limit", max_attempts=12, base_delay=5.0, max_delay=3600.0)
def mail_alert(job: RunningJob) -> dict[str, Any]:
    """Write the alert into the trail, then tell each owner and admin once, also when it is tried again."""
    with job.scope():
        alert = LimitAlert.objects.select_related("limit", "account").filter(pk=job.payload["alert"]).first()
        if alert is None:
            return {"sent": 0}
        if alert.told_at is None:
            _record(alert)
            LimitAlert.objects.filter(pk=alert.pk).update(told_at=timezone.now())
        people = Membership.objects.filter(role__in=[Role.OWNER, Role.ADMIN], user__is_active=True)
        addresses = sorted(people.values_list("user__email", flat=True))
    told: list[str] = job.payload.get("told", [])
    link = settings.BASE_URL + reverse("app:usage", args=[alert.account.slug])
    for address in addresses:
        # In a job's row there are no addresses: the mark is what tells who was told.
        mark = str(hash_of(address))
        if mark in told:
            continue
        try:
            send_limit_alert(alert, label_of(alert.limit), address, link)
        except MailRefused:
            pass  # the others are told all the same; the page shows the alert
        except MailServerAway as away:
            raise Retry(str(away)) from away
        told = [*told, mark]
        with job.scope():
            job.remember(told=told)
    return {"sent": len(told)}


def hash_of(address: str) -> str:
    """A short mark of an address."""
    return hashlib.blake2b(address.encode(), digest_size=8).hexdigest()


def _record(alert: LimitAlert) -> None:
    changes = {
        "percent": alert.percent,
        "used": f"{alert.used.normalize():f}",
        "amount": f"{alert.amount.normalize():f}",
    }
    actor = Actor.system("metering")
    audit.record("limit.alerted", actor=actor, entity=alert.limit, label=label_of(alert.limit), changes=changes)
