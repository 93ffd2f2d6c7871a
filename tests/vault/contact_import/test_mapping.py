"""Columns find their fields by name, in many languages, and by what stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vault.contact_import.mapping import FIELDS, LEAVE_OUT, MappingRefused, check, guess, is_field, label, resolve

pytestmark = pytest.mark.covers("V-11")

EMAIL, PHONE = "zoe@mail.example", "+44 20 7946 0142"

FILES = [
    pytest.param(
        {
            "Full name": ("Zoë Fairweather", "name"),
            "E-Mail-Adresse": (EMAIL, "email"),
            "Mobile": ("07700 900142", "phone"),
            "Ref": ("HP-20418", "identifier"),
            "Move-in": ("2026-12-01", "attribute:move_in"),
            "Notes (old)": ("called twice…", "attribute:notes_old"),
        },
        id="the prototype's file",
    ),
    pytest.param(
        {
            "id": ("7", "identifier"),
            "firstName": ("Zoë", "first_name"),
            "lastName": ("Fairweather", "last_name"),
            "emailAddress": (EMAIL, "email"),
            "phone_number": (PHONE, "phone"),
            "lastSeenAt": ("2026-01-01T00:00:00Z", "last_activity_at"),
            "createdAt": ("2025-01-01", "attribute:created_at"),
        },
        id="an export from a program",
    ),
    pytest.param(
        {
            "Vorname": ("Zoë", "first_name"),
            "Name": ("Groß", "last_name"),
            "E-Mail": (EMAIL, "email"),
            "Telefon": ("030 123456", "phone"),
            "Kundennummer": ("12", "identifier"),
            "Kategorie": ("A", "contact_type"),
            "Letzter Kontakt": ("1.12.2026", "last_activity_at"),
            "Firma": ("ACME", "attribute:firma"),
        },
        id="German",
    ),
    pytest.param(
        {
            "Prénom": ("Zoé", "first_name"),
            "Nom": ("Noël", "last_name"),
            "Courriel": (EMAIL, "email"),
            "Téléphone portable": ("06 12 34 56 78", "phone"),
            "N° client": ("12", "identifier"),
        },
        id="French",
    ),
    pytest.param(
        {
            "Nombre": ("José", "first_name"),
            "Apellidos": ("Peña", "last_name"),
            "Correo electrónico": (EMAIL, "email"),
            "Teléfono": ("612 345 678", "phone"),
            "Tipo": ("cliente", "contact_type"),
        },
        id="Spanish",
    ),
    pytest.param(
        {
            "Nome": ("Gio", "first_name"),
            "Cognome": ("Rossi", "last_name"),
            "Indirizzo e-mail": (EMAIL, "email"),
            "Cellulare": ("347 1234567", "phone"),
            "Codice cliente": ("12", "identifier"),
        },
        id="Italian",
    ),
    pytest.param(
        {"Nome completo": ("João Sá", "name"), "Endereço de e-mail": (EMAIL, "email"), "Telemóvel": (PHONE, "phone")},
        id="Portuguese",
    ),
    pytest.param(
        {
            "Naam": ("Jan", "name"),
            "E-mailadres": (EMAIL, "email"),
            "Telefoonnummer": (PHONE, "phone"),
            "Klantnummer": ("4", "identifier"),
        },
        id="Dutch",
    ),
    pytest.param(
        {
            "Namn": ("Åsa", "name"),
            "E-post": (EMAIL, "email"),
            "Mobil": (PHONE, "phone"),
            "Kundnummer": ("7", "identifier"),
        },
        id="Swedish",
    ),
    pytest.param(
        {
            "Imię": ("Łucja", "first_name"),
            "Nazwisko": ("Żak", "last_name"),
            "Adres e-mail": (EMAIL, "email"),
            "Numer telefonu": (PHONE, "phone"),
        },
        id="Polish",
    ),
    pytest.param(
        {
            "Ad": ("Gül", "first_name"),
            "Soyad": ("Öz", "last_name"),
            "E-posta": (EMAIL, "email"),
            "Cep Telefonu": (PHONE, "phone"),
        },
        id="Turkish",
    ),
    pytest.param(
        {
            "ФИО": ("Иван Петров", "name"),
            "Электронная почта": (EMAIL, "email"),
            "Телефон": (PHONE, "phone"),
            "Город": ("Москва", "attribute:город"),
        },
        id="Russian",
    ),
    pytest.param(
        {
            "氏名": ("山田 太郎", "name"),
            "メールアドレス": (EMAIL, "email"),
            "電話番号": ("03-1234-5678", "phone"),
            "会員番号": ("1", "identifier"),
        },
        id="Japanese",
    ),
    pytest.param(
        {"姓名": ("王伟", "name"), "电子邮箱": (EMAIL, "email"), "手机号码": ("13800138000", "phone")}, id="Chinese"
    ),
    pytest.param(
        {"이름": ("김철수", "name"), "이메일": (EMAIL, "email"), "휴대폰": ("010-1234-5678", "phone")}, id="Korean"
    ),
    pytest.param(
        {"Column A": ("Zoë Fairweather", "name"), "Column B": (EMAIL, "email"), "Column C": (PHONE, "phone")},
        id="no header: the values decide",
    ),
    pytest.param(
        {
            "Customer": ("A B", "name"),
            "Contact email": (EMAIL, "email"),
            "Secondary email": (EMAIL, "attribute:secondary_email"),
            "Email opt-in": ("yes", "attribute:email_opt_in"),
            "Company name": ("ACME", "attribute:company_name"),
            "Work phone": (PHONE, "phone"),
            "Home phone": (PHONE, "attribute:home_phone"),
            "Fax": (PHONE, "attribute:fax"),
        },
        id="columns that only sound alike",
    ),
    pytest.param(
        {"Email": ("yes", "attribute:email"), "Contact": (EMAIL, "email")},
        id="values overrule the header",
    ),
    pytest.param(
        {"Name": ("A", "name"), "Email": (EMAIL, "email"), "Empty": ("", LEAVE_OUT)}, id="an empty column is left out"
    ),
    pytest.param(
        {"Name": ("A", "name"), "Email": (EMAIL, "email"), "row": ("7", LEAVE_OUT), "reason": ("bad", LEAVE_OUT)},
        id="rejected rows, corrected and imported again",
    ),
]


@pytest.mark.parametrize("file", FILES)
def test_columns_are_guessed(file: dict[str, tuple[str, str]]) -> None:
    sample = [[value for value, _ in file.values()]] * 3
    assert guess(list(file), sample) == {column: field for column, (_, field) in file.items()}


@given(
    columns=st.lists(
        st.text(min_size=1, max_size=12) | st.sampled_from(["Name", "E-mail", "Phone", "Vorname"]),
        min_size=1,
        max_size=8,
        unique=True,
    ),
    value=st.sampled_from([EMAIL, PHONE, "Zoë", "12", ""]),
)
def test_a_guess_never_contradicts_itself(columns: list[str], value: str) -> None:
    mapping = guess(columns, [[value] * len(columns)])
    assert list(mapping) == columns
    assert all(is_field(field) for field in mapping.values())
    assert {fault.code for fault in check(mapping)} <= {"no_key"}


COLUMNS = ["Full name", "Mail", "Other mail", "City"]
GUESSED = {"Full name": "name", "Mail": "email", "Other mail": "attribute:other_mail", "City": "attribute:city"}


def test_what_people_give_replaces_the_guess_and_the_guess_gives_way() -> None:
    assert resolve(COLUMNS, GUESSED, {"Other mail": "email", "City": LEAVE_OUT}) == {
        "Full name": "name",
        "Mail": "attribute:mail",
        "Other mail": "email",
        "City": LEAVE_OUT,
    }


@pytest.mark.parametrize(
    ("given_", "code", "words"),
    [
        ({"Nope": "name"}, "unknown_column", "no column “Nope”"),
        ({"City": "town"}, "unknown_field", "“town” is no field"),
        ({"City": "attribute:"}, "unknown_field", "is no field"),
        ({"Mail": "email", "Other mail": "email"}, "mapped_twice", "“Mail” and “Other mail” both become E-mail"),
        ({"City": "attribute:x", "Mail": "attribute:x"}, "mapped_twice", "both become Attribute: x"),
        ({"Full name": "name", "City": "first_name"}, "name_twice", "“Full name” is the whole name already"),
        ({"Mail": LEAVE_OUT}, "no_key", "Choose at least one"),
    ],
)
def test_contradictions_are_named(given_: dict[str, str], code: str, words: str) -> None:
    with pytest.raises(MappingRefused, match=words) as refused:
        resolve(COLUMNS, GUESSED, given_)
    assert code in {found.code for found in refused.value.contradictions}


def test_every_field_has_a_label() -> None:
    assert [label(field) for field in (*FIELDS, "attribute:move_in", LEAVE_OUT)][-3:] == [
        "Last activity",
        "Attribute: move_in",
        "Leave out",
    ]
