"""Money and quantities as people read them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma

from apps.accounts.metering.lines import unit_for
from apps.accounts.metering.names import source_label
from apps.accounts.models import Limit

register = template.Library()

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@register.filter
def money(value: Decimal | None) -> str:
    """ "$12.30"; small amounts keep up to two digits that say something ("$0.001"); "unknown" where nobody knows."""
    if value is None:
        return "unknown"
    sign = _SIGNS.get(settings.CURRENCY, f"{settings.CURRENCY} ")
    value = Decimal(value)
    if value and abs(value) < Decimal("0.01"):
        digits = 1 - value.adjusted()
        exact = f"{value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
        return f"{sign}{exact.rstrip('0')}"
    return f"{sign}{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


@register.filter
def number(value: Decimal | int | None) -> str:
    """ "1,200"; as many digits after the point as there are."""
    if value is None:
        return "–"
    return str(intcomma(f"{Decimal(value).normalize():f}"))


@register.simple_tag
def limited(value: Decimal, limit: Limit) -> str:
    """A value in what a limit is counted in: "$12.30", "1,200 input tokens"."""
    if limit.is_cost:
        return money(value)
    return f"{number(value)} {unit_for(limit.unit, value)}"


@register.simple_tag
def used_of(used: Decimal, limit: Limit) -> str:
    """ "$12.30 of $50.00", "174 of 180 searches": the unit once."""
    return used_of_amount(used, limit.amount, limit)


@register.simple_tag
def used_of_amount(used: Decimal, amount: Decimal, limit: Limit) -> str:
    """The same, of an amount that the limit had then."""
    return f"{money(used) if limit.is_cost else number(used)} of {limited(amount, limit)}"


@register.filter
def gigabytes(value: Decimal) -> str:
    """Memory (GB of 10^9 bytes) as people read it: "1.25 GB", "40 MB", "under 1 MB"."""
    if value >= 1:
        return f"{number(value.quantize(Decimal('0.01'), ROUND_HALF_UP))} GB"
    if 0 < value < Decimal("0.001"):
        return "under 1 MB"
    return f"{value * 1000:.0f} MB" if value else "0 MB"


@register.filter
def unit_words(unit: str) -> str:
    """ "Input tokens" for ``input_tokens``."""
    return unit.replace("_", " ").capitalize()


@register.filter
def held_words(unit: str) -> str:
    """What the estimate's units are called: "Memory, GB"."""
    return {"memory_gb": "Memory, GB", "vectors": "Vectors stored"}.get(unit, unit_words(unit))


@register.filter
def part_words(source: str) -> str:
    """A part of the product as people call it."""
    return source_label(source)


@register.simple_tag
def cost_label(words: str) -> str:
    """ "Cost a month, $"."""
    return f"{words}, {_SIGNS.get(settings.CURRENCY, settings.CURRENCY)}"
