"""Telephone numbers to E.164, fast.

``phonenumbers`` is the judge of what a number is, but one number takes it about 17 µs, longer than encrypting
the whole contact. Numbers written plainly, as nearly all are, take a short cut through the same
metadata; a property test holds the short cut to the library's answers.

A number counts when its length is possible in its country. Whether it is assigned is not asked: ranges
open faster than metadata is published, and numbers reserved for fiction are on every price list.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, ValidationResult

_DECORATION = " -()./"
_RARE_DECORATION = str.maketrans("", "", " ()./-\u00a0\u2010\u2011\u2012\u2013")
_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}")
_DIGITS = re.compile(r"\d{4,15}")


class Phone(NamedTuple):
    """``e164`` is "+442079460142"; ``extension`` is "" for most numbers."""

    e164: str
    extension: str = ""


class NotAPhone(ValueError):
    """``code`` is ``no_country``, ``not_a_number``, ``too_short`` or ``too_long``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_phone(text: str, region: str | None) -> Phone:
    """The number ``text`` means when dialled in ``region`` (ISO 3166, or None). Raises NotAPhone."""
    plain = _undecorated(text)
    quick = _international(plain) if plain[:1] == "+" else _national(plain, region) if region else None
    return Phone(quick) if quick else _by_library(text, region)


def _undecorated(text: str) -> str:
    if not text.isascii():
        return text.translate(_RARE_DECORATION)
    for mark in _DECORATION:
        if mark in text:
            text = text.replace(mark, "")
    return text


def known_region(region: str) -> bool:
    """Has this ISO 3166 code a numbering plan?"""
    return region in phonenumbers.SUPPORTED_REGIONS


class _Plan(NamedTuple):
    code: str
    lengths: frozenset[int]
    prefix: re.Pattern[str] | None
    prefix_is_cut_off: bool
    abroad: re.Pattern[str] | None
    pattern: re.Pattern[str]


@lru_cache(maxsize=512)
def _plan(region: str, calling_code: int) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(
        str(calling_code),
        frozenset(metadata.general_desc.possible_length),
        re.compile(prefix) if prefix else None,
        not metadata.national_prefix_transform_rule,
        re.compile(metadata.international_prefix) if metadata.international_prefix else None,
        re.compile(metadata.general_desc.national_number_pattern or "(?!)"),
    )


def _international(plain: str) -> str | None:
    if not _INTERNATIONAL.fullmatch(plain):
        return None
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(plain[1 : 1 + length]))
        if regions:
            plan = _plan(regions[0], int(plain[1 : 1 + length]))
            number = plain[1 + length :]
            if plan is None or number[0] == "0" or len(number) not in plan.lengths:
                return None
            return None if plan.prefix is not None and plan.prefix.match(number) else plain
    return None


@lru_cache(maxsize=512)
def _home_plan(region: str) -> _Plan | None:
    code = phonenumbers.country_code_for_region(region)
    if not code:
        return None
    plan, main = _plan(region, code), _plan(COUNTRY_CODE_TO_REGION_CODE[code][0], code)
    # Length is judged by the main region of the calling code; where they differ the library decides.
    return plan if plan is not None and main is not None and plan.lengths == main.lengths else None


def _national(plain: str, region: str) -> str | None:
    plan = _home_plan(region)
    if plan is None or not _DIGITS.fullmatch(plain) or plain.startswith(plan.code):
        return None
    if plan.abroad is not None and plan.abroad.match(plain):
        return None
    number = plain
    if plan.prefix is not None and (prefix := plan.prefix.match(plain)):
        if not plan.prefix_is_cut_off or plan.pattern.fullmatch(plain):
            return None
        number = plain[prefix.end() :]
    if number[:1] in ("", "0") or len(number) not in plan.lengths:
        return None
    return f"+{plan.code}{number}"


def _by_library(text: str, region: str | None) -> Phone:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        return _from_abroad(text, region, _code(error))
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        return _from_abroad(text, region, "too_long" if reason == ValidationResult.TOO_LONG else "too_short")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, number.extension or "")


def _code(error: phonenumbers.NumberParseException) -> str:
    if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return "no_country"
    if error.error_type == phonenumbers.NumberParseException.TOO_LONG:
        return "too_long"
    return "not_a_number" if error.error_type == phonenumbers.NumberParseException.NOT_A_NUMBER else "too_short"


def _from_abroad(text: str, region: str | None, code: str) -> Phone:
    """``00`` is the plus sign of most of the world, also where the region itself dials another prefix."""
    stripped = text.strip()
    if stripped.startswith("00"):
        return _by_library("+" + stripped[2:].lstrip(" -("), region)
    raise NotAPhone(code)
