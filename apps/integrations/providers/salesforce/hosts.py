"""Where Salesforce lives: every organisation on a host of its own, and only on Salesforce's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PATTERN = (
    r"https://([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+(salesforce\.com|force\.com|salesforce\.mil|cloudforce\.com)"
)
SIGN_IN = "https://login.salesforce.com"


def instance(settings: Mapping[str, Any]) -> str:
    """The organisation's host; the general one when none is known, or what is known is not Salesforce's."""
    chosen = str(settings.get("instance_url") or "").rstrip("/")
    return chosen if re.fullmatch(PATTERN, chosen) else SIGN_IN


def sign_in_host(settings: Mapping[str, Any], redirect: Mapping[str, str]) -> str:
    """Where people sign in: at their organisation's own host, which a sandbox needs, or at the general one."""
    return instance(settings)
