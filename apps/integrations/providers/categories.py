"""What connections are for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """One purpose. ``jobs`` are the names of what its providers can be asked to do (``services/``)."""

    name: str
    label: str
    description: str
    icon: str
    jobs: frozenset[str]


CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (
        Category(
            "ai",
            "Artificial intelligence",
            "Language models that write, answer and read texts.",
            "sparkles",
            frozenset({"ai.chat", "ai.embed"}),
        ),
        Category(
            "crm",
            "Customer relations",
            "Keep contacts in step with your CRM.",
            "users",
            frozenset({"crm.upsert_contact", "crm.find_contact"}),
        ),
        Category(
            "email_marketing",
            "E-mail marketing",
            "Add people to mailing lists, and take them off again.",
            "mail",
            frozenset({"email_marketing.subscribe", "email_marketing.unsubscribe"}),
        ),
        Category(
            "analytics",
            "Analytics",
            "Send events to where you look at figures.",
            "chart-bar",
            frozenset({"analytics.track"}),
        ),
        Category(
            "payment",
            "Payment",
            "Make check-out links, and see what was paid.",
            "credit-card",
            frozenset({"payment.create_checkout", "payment.get_payment"}),
        ),
        Category(
            "maps",
            "Maps",
            "Find the place of an address, and the address of a place.",
            "map-pin",
            frozenset({"maps.geocode", "maps.reverse"}),
        ),
        Category(
            "storage",
            "Storage",
            "Keep files in a store of your own.",
            "database",
            frozenset({"storage.put", "storage.get", "storage.presign", "storage.delete"}),
        ),
        Category(
            "communication",
            "Messages",
            "Write to people where they read.",
            "message",
            frozenset({"communication.send_message"}),
        ),
    )
}
