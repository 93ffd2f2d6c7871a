"""Prices of language models, as services publish them: US dollars for a million tokens."""

from __future__ import annotations

from datetime import date

from apps.integrations.providers.definition import ListPrice

MILLION = 1_000_000


def per_million(
    model: str, starts_on: date, *, input: str, output: str = "", cached: str = "", cache_written: str = ""
) -> tuple[ListPrice, ...]:
    """The prices of one model; units that it does not bill are left out."""
    amounts = {
        "input_tokens": input,
        "output_tokens": output,
        "cached_input_tokens": cached,
        "cache_write_tokens": cache_written,
    }
    return tuple(
        ListPrice(unit=unit, product=model, amount=amount, per=MILLION, starts_on=starts_on)
        for unit, amount in amounts.items()
        if amount
    )
