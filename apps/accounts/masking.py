"""Personal data so that it can be recognised by who knows it and read by nobody else."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

DOTS = "•••"


def masked_email(address: str) -> str:
    """``ann@mail.example`` as ``a•••@m•••``; the number of dots says nothing about the length."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}{DOTS}@{domain[:1]}{DOTS}" if at else masked(address)


def masked(value: str) -> str:
    """A name or an identifier: its first letter."""
    return f"{value[:1]}{DOTS}" if value else ""


def masked_phone(number: str) -> str:
    """``+442079460142`` as ``+44•••42``: the country is plain from the number's first digits anyway."""
    return f"{number[:3]}{DOTS}{number[-2:]}" if len(number) > 7 else masked(number)


def address_mark(address: str) -> str:
    """16 hexadecimal digits that are the same for the same address, to tell one guesser from many."""
    return salted_hmac("strongroom.address-mark", address.strip().lower(), algorithm="sha256").hexdigest()[:16]
