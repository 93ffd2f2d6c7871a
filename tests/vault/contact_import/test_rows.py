"""One row becomes one contact's values, or every reason why not, in words that say what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vault.contact_import.rows import ContactValues, RowError, RowReader
from apps.vault.contact_import.times import is_day_first, parse_time

pytestmark = pytest.mark.covers("V-11")

COLUMNS = ["Name", "Mail", "Phone", "Ref", "Type", "Seen", "City"]
FIELDS = ["name", "email", "phone", "identifier", "contact_type", "last_activity_at", "attribute:city"]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def reader(region: str | None = "GB", day_first: bool = True) -> RowReader:
    mapping = dict(zip(COLUMNS, FIELDS, strict=True))
    return RowReader(COLUMNS, mapping, default_region=region, day_first=day_first, now=NOW)


def row(**cells: str) -> list[str]:
    return [cells.get(column.lower(), "") for column in COLUMNS]


def test_a_full_row_is_normalised() -> None:
    assert reader().read(
        [
            "  Zoë\u00a0 Fairweather ",
            " Zoe.F@mail.example",
            "07700 900142",
            "HP-20418",
            "Customer",
            "1.12.2025",
            " Hull ",
        ]
    ) == ContactValues(
        name="Zoë Fairweather",
        email="Zoe.F@mail.example",
        phone="+447700900142",
        identifier="HP-20418",
        contact_type="customer",
        last_activity_at=datetime(2025, 12, 1, tzinfo=UTC),
        custom_attributes={"city": "Hull"},
    )


def test_first_and_last_name_make_the_name() -> None:
    read = RowReader(
        ["A", "B", "C"],
        {"A": "first_name", "B": "last_name", "C": "email"},
        default_region=None,
        day_first=True,
        now=NOW,
    ).read
    found = [read([first, last, "a@mail.example"]) for first, last in (("Zoë", "Fair"), ("", "Fair"), ("Zoë", ""))]
    assert [values.name for values in found if isinstance(values, ContactValues)] == ["Zoë Fair", "Fair", "Zoë"]


@pytest.mark.parametrize(
    ("cells", "field", "expected"),
    [
        (row(mail="Zoë F <zoe@mail.example>"), "email", "zoe@mail.example"),
        (row(mail="mailto:zoe@mail.example"), "email", "zoe@mail.example"),
        (row(mail="zoe@bücher.example"), "email", "zoe@bücher.example"),
        (row(phone="tel:+44 20 7946 0142"), "phone", "+442079460142"),
        (row(phone="447700900142.0"), "phone", "+447700900142"),
        (row(phone="'+44 20 7946 0142"), "phone", "+442079460142"),
        (row(ref="'=A1"), "identifier", "=A1"),
        (row(ref="=A1"), "identifier", "=A1"),
        (row(ref="'tis"), "identifier", "'tis"),
        (row(mail="a@b.example", type="Kunde"), "contact_type", "customer"),
        (row(mail="a@b.example", type="Premium renters"), "contact_type", None),
        (row(mail="a@b.example", type="Premium renters"), "custom_attributes", {"contact_type": "Premium renters"}),
        (row(mail="a@b.example", name="Zoe\u0308"), "name", "Zoë"),
        (row(mail="a@b.example", name="two\nlines"), "name", "two lines"),
        (row(mail="a@b.example", city="two\nlines"), "custom_attributes", {"city": "two\nlines"}),
        (row(phone="+44 20 7946 0142 x12"), "custom_attributes", {"phone_extension": "12"}),
    ],
)
def test_what_is_meant_is_understood(cells: list[str], field: str, expected: object) -> None:
    values = reader().read(cells)
    assert isinstance(values, ContactValues), values
    assert getattr(values, field) == expected


@pytest.mark.parametrize(
    ("cells", "column", "rule", "words"),
    [
        (
            row(phone="call office"),
            "Phone",
            "not_a_number",
            'Phone "call office" is not a number. Write it as +44 20 7946 0142.',
        ),
        (row(phone="12"), "Phone", "too_short", 'Phone "12" has too few digits'),
        (row(phone="+44 20 7946 0142 9999"), "Phone", "too_long", "has too many digits"),
        (row(phone="4.47701E+11"), "Phone", "shortened_number", "was shortened by a spreadsheet"),
        (row(mail="zoe.f@mail"), "Mail", "not_an_email", 'E-mail "zoe.f@mail" has no domain ending.'),
        (row(mail="zoe"), "Mail", "not_an_email", 'E-mail "zoe" has no @.'),
        (row(mail="a@b.example; c@d.example"), "Mail", "not_an_email", "holds more than one address. Keep one."),
        (row(mail="a b@c.example"), "Mail", "not_an_email", "holds a space. Take it out."),
        (row(mail="a" * 65 + "@mail.example"), "Mail", "not_an_email", "is not an address"),
        (row(mail="@mail.example"), "Mail", "not_an_email", "is not an address"),
        (row(mail="a" * 250 + "@b.example"), "Mail", "too_long", "260 characters, 254 are possible"),
        (row(ref="2.0418E+15"), "Ref", "shortened_number", "was shortened"),
        (row(ref="x" * 201), "Ref", "too_long", "Identifier has 201 characters, 200 are possible. Shorten it."),
        (row(ref="a\x00b"), "Ref", "control_character", "U+0000"),
        (row(mail="a\x07@b.example"), "Mail", "control_character", "U+0007"),
        (row(mail="a@b.example", type="x" * 201), "Type", "too_long", "201 characters"),
        (row(mail="a@b.example", seen="31/31/2026"), "Seen", "not_a_time", 'Last activity "31/31/2026" is not a date.'),
        (row(mail="a@b.example", seen="01/02/2099"), "Seen", "in_the_future", "is in the future"),
        (row(mail="a@b.example", city="x" * 10_001), "City", "too_long", "10,001 characters"),
        (row(name="Zoë"), "", "no_key", "The row has no e-mail, phone or identifier."),
    ],
)
def test_each_fault_names_column_rule_and_way_out(cells: list[str], column: str, rule: str, words: str) -> None:
    errors = reader().read(cells)
    assert isinstance(errors, list)
    (error,) = errors
    assert (error.column, error.rule) == (column, rule)
    assert words in error.words and error.words.endswith(".")


def test_all_faults_of_a_row_are_told_at_once() -> None:
    errors = reader().read(row(mail="zoe", phone="call office", seen="soon"))
    assert isinstance(errors, list)
    assert [error.rule for error in errors] == ["not_an_email", "not_a_number", "not_a_time"]


def test_without_a_region_a_number_needs_its_country() -> None:
    errors = reader(region=None).read(row(phone="07700 900142"))
    assert isinstance(errors, list)
    assert errors[0].rule == "no_country"


@given(cells=st.lists(st.text(max_size=40), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_cells_give_values_or_reasons(cells: list[str]) -> None:
    outcome = reader().read(cells)
    if isinstance(outcome, list):
        assert outcome and all(isinstance(error, RowError) and error.words for error in outcome)
    else:
        assert outcome.email or outcome.phone or outcome.identifier
        "".join(filter(None, [outcome.name, outcome.email, outcome.identifier, outcome.contact_type])).encode()


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("2026-12-01", True, datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T10:30:00Z", True, datetime(2026, 12, 1, 10, 30, tzinfo=UTC)),
        ("2026-12-01 10:30:00+02:00", True, datetime(2026, 12, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01 10:30:00 UTC", True, datetime(2026, 12, 1, 10, 30, tzinfo=UTC)),
        ("2026/1/2 10:30", True, datetime(2026, 1, 2, 10, 30, tzinfo=UTC)),
        ("01.12.2026", True, datetime(2026, 12, 1, tzinfo=UTC)),
        ("01/12/2026", False, datetime(2026, 1, 12, tzinfo=UTC)),
        ("1/2/26 4:05 PM", False, datetime(2026, 1, 2, 16, 5, tzinfo=UTC)),
        ("12/31/2025 12:00 am", False, datetime(2025, 12, 31, tzinfo=UTC)),
        ("1764547200", True, datetime(2025, 12, 1, tzinfo=UTC)),
        ("1764547200000", True, datetime(2025, 12, 1, tzinfo=UTC)),
        ("soon", True, None),
        ("32.1.2026", True, None),
        ("99999-01-01", True, None),
    ],
)
def test_times_as_people_write_them(text: str, day_first: bool, expected: datetime | None) -> None:
    moment = parse_time(text, day_first=day_first)
    assert moment == expected


def test_the_dates_of_a_column_say_whether_the_day_comes_first() -> None:
    assert is_day_first(["01/02/2026", "13/02/2026"], "US")
    assert not is_day_first(["01/02/2026", "02/13/2026"], "GB")
    assert is_day_first(["01/02/2026"], "GB")
    assert not is_day_first(["01/02/2026"], "US")
