"""The features of this floor that are switched per account (docs/features.md)."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID

from django.utils import timezone

from apps.accounts.features import Feature, FeatureOff, declare
from apps.accounts.features.asking import reason_off
from apps.accounts.tenancy.scope import HasId
from apps.integrations.zerodb.readiness import NEEDS_PROJECT
from apps.integrations.zerodb.usage import searches_this_month


def _searched() -> str:
    number = searches_this_month(timezone.now())
    return f"{number:,} search{'' if number == 1 else 'es'} this month"


def _first_of_month() -> datetime:
    return datetime.combine(timezone.now().astimezone(UTC).date().replace(day=1), time(), UTC)


def _remembered() -> str:
    # Looked up when somebody looks: the models are not there yet when features are declared.
    from apps.chat.models import ContactMemory

    kept = ContactMemory.objects.filter(state=ContactMemory.State.REMEMBERED)
    number = kept.count()
    if not number:
        return "Nothing remembered yet"
    people = kept.values("contact").distinct().count()
    new = kept.filter(created_at__gte=_first_of_month()).count()
    facts, contacts = f"{number:,} fact{'' if number == 1 else 's'}", f"{people:,} contact{'' if people == 1 else 's'}"
    return f"{facts} about {contacts}, {new:,} new this month"


def _suggested() -> str:
    # Looked up when somebody looks, as above.
    from apps.chat.suggestions.usage import answers_since

    answered, taken = answers_since(_first_of_month())
    if not answered:
        return "No answer with a suggestion yet this month"
    return f"{taken:,} of {answered:,} answer{'' if answered == 1 else 's'} taken from suggestions this month"


SEMANTIC_SEARCH = Feature(
    name="semantic_search",
    label="Semantic search",
    description="Find conversations by meaning, not keywords. “Heating noise” finds “the boiler knocks”.",
    icon="zoom-scan",
    page="ai",
    needs=NEEDS_PROJECT,
    used=_searched,
)
SMART_SUGGESTIONS = Feature(
    name="smart_suggestions",
    label="Smart suggestions",
    description="Offers the canned reply that fits an open conversation. People press send, never the machine.",
    icon="bulb",
    page="ai",
    needs=NEEDS_PROJECT,
    used=_suggested,
)
AGENT_MEMORY = Feature(
    name="agent_memory",
    label="Agent memory",
    description="Remembers what a contact prefers across conversations. Contacts can ask to be forgotten.",
    icon="brain",
    page="ai",
    needs=NEEDS_PROJECT,
    used=_remembered,
)


def is_wanted(one: Feature, account: UUID | HasId) -> bool:
    """Whether the account has the feature, or will have it once its project is ready, which is waited for."""
    return reason_off(one.name, account) in {"", NEEDS_PROJECT.code}


def require_wanted(one: Feature, account: UUID | HasId) -> None:
    """Raises FeatureOff unless the feature ``is_wanted``."""
    if not is_wanted(one, account):
        raise FeatureOff(one, reason_off(one.name, account))


def declare_all() -> None:
    """Called once, at start-up."""
    declare(SEMANTIC_SEARCH, SMART_SUGGESTIONS, AGENT_MEMORY)
