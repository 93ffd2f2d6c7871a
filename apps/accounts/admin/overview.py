"""This floor's part of the dashboard: accounts, people, jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Count, Min, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from apps.accounts.admin.dashboard import Attention, Chart, Figure, Part
from apps.accounts.models import Account, Job, User

DAYS = 30
LATE = timedelta(minutes=5)
"""A job that is due for so long waits for workers that are not there."""

_UNFINISHED = (Job.Status.QUEUED, Job.Status.RUNNING)


def attention() -> Iterator[Attention]:
    """Failed jobs of the last week by kind, and a queue that nobody works on."""
    now = timezone.now()
    failed = (
        Job.objects.filter(status=Job.Status.FAILED, finished_at__gte=now - timedelta(days=7))
        .values("kind")
        .annotate(count=Count("id"), accounts=Count("account_id", distinct=True))
        .order_by("-count")
    )
    for row in failed:
        last = Job.objects.filter(status=Job.Status.FAILED, kind=row["kind"]).order_by("-finished_at").first()
        yield Attention(
            f"{_count(row['count'], 'job')} of kind {row['kind']} failed",
            f"In {_count(row['accounts'], 'account')} since last week. Last: {last.error if last else ''}",
            "Failed",
            _jobs(status__exact="failed", kind=row["kind"]),
        )
    late = Job.objects.filter(status=Job.Status.QUEUED, next_attempt_at__lt=now - LATE)
    waiting = late.aggregate(count=Count("id"), oldest=Min("next_attempt_at"))
    if waiting["count"]:
        minutes = int((now - waiting["oldest"]).total_seconds() // 60)
        yield Attention(
            f"{_count(waiting['count'], 'job waits', 'jobs wait')} for a worker",
            f"The oldest was due {_count(minutes, 'minute')} ago. Is a worker running?",
            "Waiting",
            _jobs(status__exact="queued"),
        )
    if User.objects.filter(is_superuser=True, is_active=True).count() < 2:
        yield Attention(
            "There is one super admin only",
            "If they lose their second factor and their tokens, only the shell lets anybody in.",
            "Alone",
            reverse("admin:accounts_user_changelist"),
            "warning",
        )


def figures() -> Iterator[Figure]:
    """Accounts, people, jobs that wait, jobs of the day."""
    now = timezone.now()
    accounts = Account.objects.aggregate(
        all=Count("id"),
        new=Count("id", filter=Q(created_at__gte=now - timedelta(days=7))),
        suspended=Count("id", filter=Q(status=Account.Status.SUSPENDED)),
    )
    note = f"{accounts['new']:,} new this week"
    if accounts["suspended"]:
        note += f", {accounts['suspended']:,} suspended"
    yield Figure("Accounts", f"{accounts['all']:,}", note, reverse("admin:accounts_account_changelist"))
    people = User.objects.filter(is_active=True).count()
    factors = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user_id").distinct().count()
    yield Figure(
        "People", f"{people:,}", f"{factors:,} with a second factor", reverse("admin:accounts_user_changelist")
    )
    jobs = Job.objects.aggregate(
        waiting=Count("id", filter=Q(status=Job.Status.QUEUED)),
        running=Count("id", filter=Q(status=Job.Status.RUNNING)),
        oldest=Min("next_attempt_at", filter=Q(status=Job.Status.QUEUED)),
    )
    note = f"{jobs['running']:,} running"
    if jobs["oldest"] and jobs["oldest"] < now:
        note += f", oldest due for {_span(now - jobs['oldest'])}"
    yield Figure("Jobs waiting", f"{jobs['waiting']:,}", note, _jobs(status__exact="queued"))
    day = Job.objects.filter(finished_at__gte=now - timedelta(days=1)).aggregate(
        done=Count("id", filter=Q(status=Job.Status.DONE)), failed=Count("id", filter=Q(status=Job.Status.FAILED))
    )
    yield Figure("Jobs done today", f"{day['done']:,}", f"{day['failed']:,} failed in 24 hours", _jobs())


def charts() -> Iterator[Chart]:
    """Accounts over time, sign-ups per day, jobs per day by outcome."""
    days = _days()
    since = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    labels = [f"{day.day} {day:%b}" for day in days]
    made = _per_day(Account.objects.filter(created_at__gte=since), "created_at")
    before = Account.objects.filter(created_at__lt=since).count()
    total, totals = before, []
    for day in days:
        total += made[day]
        totals.append(total)
    yield Chart(
        "Accounts",
        f"{_count(total, 'account')} now, {before:,} thirty days ago.",
        labels,
        {"Accounts": totals},
        kind="line",
    )
    joined = _per_day(User.objects.filter(date_joined__gte=since), "date_joined")
    sign_ups = [joined[day] for day in days]
    yield Chart(
        "Sign-ups per day", f"{_count(sum(sign_ups), 'person', 'people')} in 30 days.", labels, {"Sign-ups": sign_ups}
    )
    finished = Job.objects.filter(finished_at__gte=since)
    outcomes = {
        "Done": _per_day(finished.filter(status=Job.Status.DONE), "finished_at"),
        "Failed": _per_day(finished.filter(status=Job.Status.FAILED), "finished_at"),
    }
    series = {name: [counts[day] for day in days] for name, counts in outcomes.items()}
    yield Chart(
        "Jobs per day",
        f"{sum(series['Done']):,} done and {sum(series['Failed']):,} failed in 30 days.",
        labels,
        series,
        stacked=True,
        colours=("--sa-c1", "--sa-bad"),
    )


PART = Part(10, attention, figures, charts)


def _days() -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _per_day(rows: Any, name: str) -> Counter[date]:
    counts = rows.order_by().annotate(day=TruncDate(name)).values_list("day").annotate(count=Count("pk"))
    return Counter(dict(counts))


def _jobs(**conditions: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in conditions.items())
    return reverse("admin:accounts_job_changelist") + (f"?{query}" if query else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
