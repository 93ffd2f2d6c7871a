"""The quick way to E.164 says what the phone number library says."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.vault import phones
from apps.vault.phones import NotAPhone, Phone, known_region, parse_phone

pytestmark = pytest.mark.covers("V-02")

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("07700 900142", "GB", Phone("+447700900142")),
        ("+44 20 7946 0142", None, Phone("+442079460142")),
        ("+44 (0)20 7946 0142", None, Phone("+442079460142")),
        ("0044 20 7946 0142", "GB", Phone("+442079460142")),
        ("001-555-123-4567", "US", Phone("+15551234567")),
        ("(555) 123-4567 ext. 99", "US", Phone("+15551234567", "99")),
        ("06 12 34 56 78", "FR", Phone("+33612345678")),
        ("030/123456", "DE", Phone("+4930123456")),
        ("06 698 12345", "IT", Phone("+390669812345")),
        ("090-1234-5678", "JP", Phone("+819012345678")),
        ("+1 555 0142 199", None, Phone("+15550142199")),
    ],
)
def test_a_number_becomes_e164(text: str, region: str | None, expected: Phone) -> None:
    assert parse_phone(text, region) == expected


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("call office", "GB", "not_a_number"),
        ("", "GB", "not_a_number"),
        ("07700 900142", None, "no_country"),
        ("12", "GB", "too_short"),
        ("+44 20 7946 0142 9999 99", None, "too_long"),
        ("+999 12345678", None, "no_country"),
    ],
)
def test_what_is_no_number_is_refused_with_a_code(text: str, region: str | None, code: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        parse_phone(text, region)
    assert refused.value.code == code


def _outcome(function: object, text: str, region: str | None) -> object:
    try:
        return function(text, region)  # type: ignore[operator]
    except NotAPhone as refused:
        return refused.code


@settings(max_examples=1500, deadline=None)
@given(
    country=st.sampled_from(REGIONS),
    kind=st.sampled_from([0, 1, 2, 3, 4]),
    shape=st.sampled_from(["national", "international", "e164", "digits", "trunk", "without plus"]),
    dialled_in=st.one_of(st.none(), st.sampled_from(REGIONS)),
    at_home=st.booleans(),
    change=st.lists(st.tuples(st.integers(0, 14), st.sampled_from("0123456789")), max_size=3),
    cut=st.integers(0, 2),
)
def test_the_short_cut_agrees_with_the_library(
    country: str, kind: int, shape: str, dialled_in: str | None, at_home: bool, change: list[tuple[int, str]], cut: int
) -> None:
    example = phonenumbers.example_number_for_type(country, kind)
    if example is None:
        return
    digits = list(str(example.national_number))
    for position, digit in change:
        digits[position % len(digits)] = digit
    national = "".join(digits)[: len(digits) - cut]
    text = {
        "national": phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL),
        "international": phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        "e164": f"+{example.country_code}{national}",
        "digits": national,
        "trunk": f"0{national}",
        "without plus": f"{example.country_code}{national}",
    }[shape]
    region = country if at_home else dialled_in
    assert _outcome(parse_phone, text, region) == _outcome(phones._by_library, text, region)


def test_regions_are_known_by_their_iso_code() -> None:
    assert known_region("GB")
    assert not known_region("UK")
    assert not known_region("gb")
