"""Money and quantities as people read them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma

from apps.accounts.metering.selectors import source_label
from apps.accounts.models import Limit

register = template.Library()

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@register.filter
def money(value: Decimal | None) -> str:
    """ "$12.30"; small amounts keep two digits that say something; "unknown" where nobody knows."""
    if value is None:
        return "unknown"
    sign = _SIGNS.get(settings.CURRENCY, f"{settings.CURRENCY} ")
    value = Decimal(value)
    if value and abs(value) < Decimal("0.01"):
        digits = 1 - value.adjusted()
        return f"{sign}{value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
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
    unit = limit.unit.replace("_", " ")
    return f"{number(value)} {unit.removesuffix('s') if value == 1 else unit}"


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
