"""What people said, encrypted: storing it, reading it back, finding it by word. Whose it is, a floor above knows.

See docs/security-model.md, "Word search over encrypted messages".
"""

from apps.vault.messages.query import QueryFault
from apps.vault.messages.searching import Hit, Page, SearchIsOff, search
from apps.vault.messages.setting import Setting, change_setting, current_setting, rebuild
from apps.vault.messages.storing import fill_contents, load_contents, said_before, store_content

__all__ = [
    "Hit",
    "Page",
    "QueryFault",
    "SearchIsOff",
    "Setting",
    "change_setting",
    "current_setting",
    "fill_contents",
    "load_contents",
    "rebuild",
    "said_before",
    "search",
    "store_content",
]
