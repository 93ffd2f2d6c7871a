"""Project tiers: the words that are accepted and what each allows."""

from __future__ import annotations

from dataclasses import dataclass

from apps.integrations.zerodb.server.errors import ApiError
from apps.integrations.zerodb.server.fields import Fields

SUPPORT = "support@ainative.studio"


@dataclass(frozen=True)
class Tier:
    """What a tier allows: projects, calls that store or search in a minute, vectors in each namespace.

    None when there is no limit.
    """

    name: str
    projects: int | None
    next_tier: str | None
    stores: int | None
    searches: int | None
    documents: int | None


_FREE = Tier("free", 3, "starter", 10, 20, 1000)
_STARTER = Tier("starter", 10, "pro", 100, 200, 10_000)
_PROFESSIONAL = Tier("professional", 50, "enterprise", 1000, 2000, 100_000)
_ENTERPRISE = Tier("enterprise", None, None, None, None, None)

TIERS: dict[str, Tier] = {
    "free": _FREE,
    "starter": _STARTER,
    "professional": _PROFESSIONAL,
    "pro": _PROFESSIONAL,
    "enterprise": _ENTERPRISE,
}
_WORDS = "free, starter, professional, enterprise"


def read_tier(fields: Fields, *, default: str | None) -> str | None:
    """The tier word as sent, trimmed and lower-case; ``default`` when absent. Notes INVALID_TIER."""
    name, value = fields.raw("tier")
    if value is None:
        return default
    word = value.strip().lower() if isinstance(value, str) else None
    if word not in TIERS:
        fields.fail(name, f"Invalid tier '{value}'. Valid tiers: {_WORDS}", "enum", code="INVALID_TIER")
        return default
    return word


def project_limit_exceeded(tier: str, used: int, limit: int) -> ApiError:
    """429 that waiting does not cure: it says the limit, what is used and the way out."""
    return _exceeded(
        f"Project limit exceeded for tier '{tier}': {used}/{limit} projects in use. "
        f"To create more, {_way_out(tier)}, or write to {SUPPORT}."
    )


def document_limit_exceeded(tier: str, namespace: str, limit: int) -> ApiError:
    """The same for the vectors of a namespace; the papers name no code of its own."""
    return _exceeded(
        f"Document limit exceeded for tier '{tier}': namespace '{namespace}' may hold {limit} documents. "
        f"To store more, {_way_out(tier)}, or write to {SUPPORT}."
    )


def _exceeded(detail: str) -> ApiError:
    return ApiError(429, "PROJECT_LIMIT_EXCEEDED", detail)


def _way_out(tier: str) -> str:
    next_tier = TIERS[tier].next_tier
    return f"upgrade to '{next_tier}'" if next_tier else "contact support"
