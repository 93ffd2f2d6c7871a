"""The last check of the trail of the account in scope."""

from __future__ import annotations

from apps.accounts.models import Job

AUDIT_VERIFY = "audit.verify"


def last_check() -> Job | None:
    """Its job, finished or not; None when nobody checked yet."""
    jobs = Job.objects.filter(kind=AUDIT_VERIFY).exclude(status=Job.Status.CANCELLED)
    found: Job | None = jobs.order_by("-created_at").first()
    return found


def state_of(job: Job | None) -> str:
    """off (never checked), run, ok, bad, or warn (the check itself failed)."""
    if job is None:
        return "off"
    if not job.is_finished:
        return "run"
    if job.status == Job.Status.FAILED or not job.result:
        return "warn"
    return "ok" if job.result["whole"] else "bad"
