"""The features of this floor that are switched per account (docs/features.md)."""

from __future__ import annotations

from apps.accounts.features import Feature, declare
from apps.integrations.zerodb.readiness import NEEDS_PROJECT

SEMANTIC_SEARCH = Feature(
    name="semantic_search",
    label="Semantic search",
    description="Find conversations by meaning, not keywords. “Heating noise” finds “the boiler knocks”.",
    icon="zoom-scan",
    page="ai",
    needs=NEEDS_PROJECT,
)
SMART_SUGGESTIONS = Feature(
    name="smart_suggestions",
    label="Smart suggestions",
    description="Offers the canned reply that fits an open conversation. People press send, never the machine.",
    icon="bulb",
    page="ai",
    needs=NEEDS_PROJECT,
)
AGENT_MEMORY = Feature(
    name="agent_memory",
    label="Agent memory",
    description="Remembers what a contact prefers across conversations. Contacts can ask to be forgotten.",
    icon="brain",
    page="ai",
    needs=NEEDS_PROJECT,
)


def declare_all() -> None:
    """Called once, at start-up."""
    declare(SEMANTIC_SEARCH, SMART_SUGGESTIONS, AGENT_MEMORY)
