"""Where Zoho lives: every account in one data centre, with a host for calls and one for signing in.

zoho.com/crm/developer/docs/api/v8/multi-dc.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CENTRES: dict[str, tuple[str, str]] = {
    "https://www.zohoapis.com": ("United States", "https://accounts.zoho.com"),
    "https://www.zohoapis.eu": ("Europe", "https://accounts.zoho.eu"),
    "https://www.zohoapis.uk": ("United Kingdom", "https://accounts.zoho.uk"),
    "https://www.zohoapis.in": ("India", "https://accounts.zoho.in"),
    "https://www.zohoapis.com.au": ("Australia", "https://accounts.zoho.com.au"),
    "https://www.zohoapis.jp": ("Japan", "https://accounts.zoho.jp"),
    "https://www.zohoapis.ca": ("Canada", "https://accounts.zohocloud.ca"),
    "https://www.zohoapis.sa": ("Saudi Arabia", "https://accounts.zoho.sa"),
    "https://www.zohoapis.com.cn": ("China", "https://accounts.zoho.com.cn"),
}
"""Host for calls to the data centre's name and the host for signing in."""
DEFAULT = "https://www.zohoapis.com"


def api_host(settings: Mapping[str, Any]) -> str:
    """The host for calls; that of the United States for one that is not Zoho's."""
    chosen = str(settings.get("api_domain") or "").rstrip("/")
    return chosen if chosen in CENTRES else DEFAULT


def accounts_host(settings: Mapping[str, Any], redirect: Mapping[str, str]) -> str:
    """The host for signing in: the one that Zoho named in its redirect, if it is Zoho's, else that of the settings."""
    named = redirect.get("accounts-server", "").rstrip("/")
    if named in {accounts for _, accounts in CENTRES.values()}:
        return named
    return CENTRES[api_host(settings)][1]
