"""``…/database/analytics/…`` and ``/analytics/…``: what a project holds and what was written to it.

All numbers are counted from what is stored. This server asks no money and keeps no log of queries, and says so.
"""

from __future__ import annotations

import csv
import io
import statistics
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.integrations.zerodb.server.analytics import requests
from apps.integrations.zerodb.server.analytics.requests import Period
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.scopes import Form, ProjectReference
from apps.integrations.zerodb.server.store import activity, agent_memories, usage
from apps.integrations.zerodb.server.store.vectors import Search, search_vectors

_FREE = {"total_cost_usd": 0.0, "total_cost": 0.0, "currency": "USD"}
# Nothing is paid for, and no log is kept of what is asked.
_UNRECORDED = ("spend", "payments", "queries", "errors")
_COUNTED = {"decisions": activity.decisions, "storage": activity.stored_bytes}
# From how many standard deviations above the mean a day stands out, and how much.
_SEVERITIES = ((6.0, "critical"), (4.5, "high"), (3.0, "medium"), (2.0, "low"))


def _of_period(period: Period) -> list[dict[str, Any]]:
    """One entry per step with anything in it: ``{date, vectors, memories, …}``."""
    found: dict[datetime, dict[str, Any]] = {}
    for metric in activity.METRICS:
        for at, count in activity.written(metric, period.since, period.until, period.unit).items():
            found.setdefault(at, {"date": at, **dict.fromkeys(activity.METRICS, 0)})[metric] = count
    return [found[at] for at in sorted(found)]


def _bounds(period: Period) -> dict[str, Any]:
    return {"start_date": period.since, "end_date": period.until}


def show_usage(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/usage``."""
    period = requests.read_period(call.query)
    call.query.finish()
    with call.project(scope) as project:
        entries, whole = _of_period(period), usage.of_project()
    totals = {metric: sum(entry[metric] for entry in entries) for metric in activity.METRICS}
    return {
        "project_id": project.public_id,
        "granularity": period.granularity,
        **_bounds(period),
        "data": entries,
        "totals": totals,
        "usage": whole,
    }


def show_performance(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/performance``: how long a search and a count take now."""
    metric_type = call.query.text("metric_type") or "all"
    call.query.finish()
    with call.project(scope) as project:
        measured = {
            "search_ms": _milliseconds(
                lambda: search_vectors(Search("default", [1.0] + [0.0] * 383, limit=10), with_values=False)
            ),
            "count_ms": _milliseconds(usage.of_project),
        }
    wanted = {name: value for name, value in measured.items() if metric_type in ("all", "latency", name, name[:-3])}
    return {"project_id": project.public_id, "metrics": wanted, "measured_at": timezone.now()}


def _milliseconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return round((time.perf_counter() - started) * 1000, 3)


def show_storage(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/storage``."""
    with call.project(scope) as project:
        namespaces = [
            {"name": name, "vectors": count, "bytes": usage.stored_bytes(name)} for name, count in usage.namespaces()
        ]
        whole = usage.of_project()
    return {
        "project_id": project.public_id,
        "total_bytes": sum(namespace["bytes"] for namespace in namespaces),
        "namespaces": namespaces,
        **whole,
    }


def show_queries(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/queries``: none, since none are written down."""
    call.query.integer("limit", default=100, minimum=1, maximum=1000)
    call.query.finish()
    with call.project(scope) as project:
        return {"project_id": project.public_id, "queries": [], "total": 0, "recorded": False}


def show_costs(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/costs``."""
    period = requests.read_period(call.query)
    call.query.finish()
    with call.project(scope) as project:
        return {"project_id": project.public_id, **_bounds(period), **_FREE, "breakdown": {}}


def show_trends(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/trends``: one number per step, also where it is nought; of vectors, unless told otherwise."""
    options = (*activity.METRICS, *_COUNTED, *_UNRECORDED)
    metric = call.query.choice("metric", options=options) or "vectors"
    period = requests.read_days(call.query, 30)
    call.query.finish()
    with call.project(scope) as project:
        data = _trend(metric, period)
    return {"project_id": project.public_id, "metric": metric, "granularity": period.granularity, "data": data}


def _trend(metric: str, period: Period) -> list[dict[str, Any]]:
    if metric in _UNRECORDED:
        return []
    count = _COUNTED.get(metric)
    found = (
        count(period.since, period.until, period.unit)
        if count
        else activity.written(metric, period.since, period.until, period.unit)
    )
    if period.unit != "day":
        return [{"date": at, "value": value} for at, value in found.items()]
    first = period.since.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=n) for n in range((period.until - first).days + 1)]
    return [{"date": day, "value": found.get(day, 0)} for day in days]


def show_anomalies(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/analytics/anomalies``: days of the last 30 that stand out."""
    severity = call.query.choice("severity", options=requests.SEVERITIES) or "all"
    period = replace(requests.read_days(call.query, 30), granularity="daily")
    call.query.finish()
    with call.project(scope) as project:
        found = [anomaly for metric in activity.METRICS for anomaly in _anomalies(metric, _trend(metric, period))]
    wanted = [anomaly for anomaly in found if severity in ("all", anomaly["severity"])]
    return {"project_id": project.public_id, "anomalies": wanted, "total": len(wanted)}


def _anomalies(metric: str, days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    values = [day["value"] for day in days]
    mean, spread = statistics.fmean(values), statistics.pstdev(values)
    found = []
    for day in days if spread else []:
        height = (day["value"] - mean) / spread
        severity = next((name for least, name in _SEVERITIES if height >= least), None)
        if severity:
            found.append({**day, "metric": metric, "expected": round(mean, 3), "severity": severity})
    return found


def export(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/analytics/export``: the usage report as JSON, or as text of comma-separated values."""
    body = call.body
    report_type = body.text("report_type") or "summary"
    form = body.choice("format", options=("json", "csv")) or "json"
    period = requests.read_period(body)
    body.finish()
    with call.project(scope) as project:
        entries, whole = _of_period(period), usage.of_project()
    answer = {
        "project_id": project.public_id,
        "report_type": report_type,
        "format": form,
        **_bounds(period),
        "generated_at": timezone.now(),
    }
    if form == "csv":
        return answer | {"content": _csv(entries)}
    return answer | {"data": {"usage": whole, "entries": entries}}


def _csv(entries: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, ["date", *activity.METRICS])
    table.writeheader()
    table.writerows({**entry, "date": entry["date"].isoformat()} for entry in entries)
    return text.getvalue()


# --- with the project in the query


def _named(call: Call) -> ProjectReference:
    project_id = requests.read_project(call)
    call.query.finish()
    return ProjectReference(Form.CALL, project_id)


def spend(call: Call) -> dict[str, Any]:
    """``GET /analytics/spend?project_id``."""
    scope, period = _named(call), requests.read_days(call.query, 7)
    call.query.finish()
    with call.project(scope, created_only=True) as project:
        return {"project_id": project.public_id, **_bounds(period), "total_spend": 0.0, **_FREE}


def agent_activity(call: Call) -> dict[str, Any]:
    """``GET /analytics/activity?project_id``: who wrote to the log."""
    scope, period = _named(call), requests.read_days(call.query, 7)
    call.query.finish()
    with call.project(scope, created_only=True) as project:
        found, total = agent_memories.agents(limit=1000, offset=0, since=period.since)
    actions = sum(agent["memory_count"] for agent in found)
    return {
        "project_id": project.public_id,
        **_bounds(period),
        "agents": found,
        "total_agents": total,
        "total_actions": actions,
    }


def trends(call: Call) -> dict[str, Any]:
    """``GET /analytics/trends?project_id``, also with ``metric``."""
    scope = _named(call)
    with call.project(scope, created_only=True):
        return show_trends(call, scope)


def health(call: Call) -> dict[str, Any]:
    """``GET /analytics/health?project_id``: 100 for a project that is read and written, 50 for one only read."""
    scope = _named(call)
    call.query.finish()
    with call.project(scope, created_only=True) as project:
        score = 50 if project.status == project.Status.SUSPENDED else 100
        return {
            "project_id": project.public_id,
            "score": score,
            "health_score": score,
            "status": "healthy" if score == 100 else "degraded",
            "usage": usage.of_project(),
        }
