"""The dashboard's part of connections: how many there are, how many fail, and of which services."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Q
from django.urls import reverse

from apps.accounts.admin.dashboard import Attention, Chart, Figure, Part
from apps.integrations.models import Integration
from apps.integrations.providers import providers

SHOWN = 5
"""Failing services named one by one."""

Status = Integration.Status
_FAILING = Q(enabled=True) & Q(condition__in=[Status.ERROR, Status.EXPIRED, Status.REAUTH_REQUIRED])


def _list(**query: str) -> str:
    address = reverse("admin:integrations_integration_changelist")
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else address


def _label(name: str) -> str:
    known = providers().get(name)
    return known.label if known is not None else name


def _by_provider() -> list[dict[str, object]]:
    rows = Integration.objects.order_by().values("provider")
    return list(rows.annotate(all=Count("id"), failing=Count("id", filter=_FAILING)).order_by("-all", "provider"))


def attention() -> Iterator[Attention]:
    """Services that fail for most of the accounts that use them: then it is hardly the accounts' credentials."""
    failing = [row for row in _by_provider() if int(str(row["failing"])) > 1]
    for row in sorted(failing, key=lambda row: -int(str(row["failing"])))[:SHOWN]:
        name = str(row["provider"])
        title = f"{_label(name)} fails for {row['failing']} of {row['all']} connections"
        yield Attention(title, "", "Integrations", _list(provider=name))


def figures() -> Iterator[Figure]:
    """Connections, and how many of them fail."""
    counts = Integration.objects.aggregate(
        all=Count("id"), failing=Count("id", filter=_FAILING), off=Count("id", filter=Q(enabled=False))
    )
    note = f"{counts['failing']:,} failing, {counts['off']:,} disabled"
    yield Figure("Connections", f"{counts['all']:,}", note, _list())


def charts() -> Iterator[Chart]:
    """Connections by service, failing and not."""
    rows = _by_provider()[:12]
    labels = [_label(str(row["provider"])) for row in rows]
    failing = [int(str(row["failing"])) for row in rows]
    fine = [int(str(row["all"])) - bad for row, bad in zip(rows, failing, strict=True)]
    finding = f"{sum(failing):,} of {sum(failing) + sum(fine):,} connections fail." if rows else "No connections yet."
    series = {"Not failing": fine, "Failing": failing}
    yield Chart(
        "Connections by service",
        finding,
        labels,
        series,
        stacked=True,
        first="Service",
        colours=("--sa-c1", "--sa-bad"),
    )


PART = Part(30, attention, figures, charts)
