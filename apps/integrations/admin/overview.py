"""This floor's part of the dashboard: how far provisioning is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count
from django.urls import reverse

from apps.accounts.admin.dashboard import Attention, Chart, Figure, Part
from apps.accounts.models import Account
from apps.integrations.models import AINativeProject

SHOWN = 5
"""Failed accounts named one by one; more are counted."""

Status = AINativeProject.Status


def _counts() -> Counter[str]:
    return Counter(dict(AINativeProject.objects.order_by().values_list("status").annotate(count=Count("id"))))


def _list(status: str = "") -> str:
    address = reverse("admin:integrations_ainativeproject_changelist")
    return f"{address}?status__exact={status}" if status else address


def attention() -> Iterator[Attention]:
    """Accounts whose project could not be made."""
    failed = AINativeProject.objects.filter(status=Status.FAILED).select_related("account").order_by("-updated_at")
    for project in failed[:SHOWN]:
        address = reverse("admin:accounts_account_change", args=[project.account_id])
        yield Attention(f"{project.account.name} has no AI project", project.error, "Provisioning", address)
    more = failed.count() - SHOWN
    if more > 0:
        yield Attention(f"{more} more accounts have no AI project", "", "Provisioning", _list(Status.FAILED))


def figures() -> Iterator[Figure]:
    """How many accounts have their project."""
    counts, accounts = _counts(), Account.objects.count()
    usable = AINativeProject.objects.filter(AINativeProject.ready()).count()
    elsewhere = counts[Status.READY] - usable
    waiting = counts[Status.PENDING] + counts[Status.PROVISIONING]
    note = f"{counts[Status.FAILED]:,} failed, {waiting:,} under way"
    if elsewhere:
        note += f", {elsewhere:,} at a service that is not in use (manage.py provision_accounts moves them)"
    yield Figure("Provisioned", f"{usable:,} of {accounts:,}", note, _list())


def charts() -> Iterator[Chart]:
    """Accounts by the state of their project."""
    counts = _counts()
    without = Account.objects.count() - sum(counts.values())
    labels = [status.label for status in Status] + ["Not begun"]
    numbers = [counts[status.value] for status in Status] + [max(without, 0)]
    finding = ", ".join(f"{number:,} {label.lower()}" for label, number in zip(labels, numbers, strict=True) if number)
    yield Chart("Provisioning", f"{finding or 'No accounts yet'}.", labels, {"Accounts": numbers}, first="State")


PART = Part(20, attention, figures, charts)
