"""Licences of everything installed: only those that let a self-hosted product be given away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ALLOWED = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|Mozilla Public License|MPL|PSF|Python Software Foundation|ISC|Unlicense|CC0|Zlib|"
    r"LGPL|Lesser General Public)\b",
    re.IGNORECASE,
)
FORBIDDEN = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|General Public License|SSPL|BUSL)", re.IGNORECASE)
# Their metadata names no licence that can be read by a program; the licence file in the package was read instead.
READ_BY_HAND = {"qrcode": "BSD-3-Clause"}


def faults() -> list[str]:
    """Installed packages whose licence is forbidden, or not one of ALLOWED."""
    listing = subprocess.run(
        [str(Path(sys.executable).parent / "pip-licenses"), "--format=json", "--from=mixed"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = []
    for package in json.loads(listing.stdout):
        name, licence = package["Name"], READ_BY_HAND.get(package["Name"], package["License"])
        # "A OR B" and a list of classifiers offer a choice; "A AND B" binds to both.
        offers = re.split(r"\s+OR\s+|;", licence, flags=re.IGNORECASE)
        if not any(ALLOWED.search(offer) and not FORBIDDEN.search(offer) for offer in offers):
            found.append(f"{name} {package['Version']}: {licence}")
    return found
