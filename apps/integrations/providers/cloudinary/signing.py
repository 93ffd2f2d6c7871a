"""Signatures of Cloudinary (cloudinary.com/documentation/signatures)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def signature(params: Mapping[str, str], secret: str, algorithm: str) -> str:
    """The digest of the parameters in order, with the secret behind them. ``algorithm``: "sha1" or "sha256".

    No value may hold ``&``: the text that is signed would read as other parameters. Raises ValueError for one.
    """
    if any("&" in value for value in params.values()):
        raise ValueError("A signed value can't hold “&”.")
    text = "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name]) + secret
    # Cloudinary's protocol; SHA-1 is what it expects unless its owner chose the other.
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()
