"""Conversations as people read them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.templatetags.ui import status
from apps.chat.models import Conversation
from apps.chat.services.attachments import ACCEPTED

register = template.Library()

# state of the pill, word, icon
STATUSES = {
    Conversation.Status.OPEN: ("info", "Open", "message-dots"),
    Conversation.Status.PENDING: ("warn", "Pending", "hourglass"),
    Conversation.Status.SNOOZED: ("off", "Snoozed", "clock-pause"),
    Conversation.Status.RESOLVED: ("ok", "Solved", "circle-check"),
}
_TINTS = {"petrol": "accent", "blue": "info", "amber": "warn", "red": "bad", "grey": "off"}


@register.simple_tag
def conversation_status(conversation: Conversation) -> SafeString:
    """The state of a conversation as a pill."""
    state, words, icon_name = STATUSES[Conversation.Status(conversation.status)]
    return status(state, words, icon_name)


@register.filter
def tint(colour: str) -> str:
    """The class of a label's colour."""
    return f"is-{_TINTS.get(colour, 'off')}"


@register.simple_tag
def ago(moment: datetime) -> SafeString:
    """How long ago, in as few letters as a list has room for: "2 m", "3 h", "4 d", "12 Oct"."""
    local = timezone.localtime(moment)
    return format_html(
        '<time class="xs t3 nowrap num" datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{date_format(local, 'j F Y, H:i')} {local.tzname()}",
        short_since(local, timezone.localtime()),
    )


@register.filter
def awake_at(moment: datetime) -> str:
    """ "Monday 4 May, 09:00", with the year where it is another one."""
    local = timezone.localtime(moment)
    return date_format(local, "l j F, H:i" if local.year == timezone.localtime().year else "l j F Y, H:i")


def short_since(moment: datetime, now: datetime) -> str:
    """``moment`` seen from ``now``, both in the reader's zone."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60} m"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    if seconds < 7 * 86400:
        return f"{seconds // 86400} d"
    return date_format(moment, "j M" if moment.year == now.year else "M Y")


@register.simple_tag
def accepted_files() -> str:
    """The endings of files that are taken in, as a file field wants them."""
    return ACCEPTED


@register.filter
def file_size(size: int) -> str:
    """ "12 kB", "3.4 MB"."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000)):,} kB"
    return f"{size / 1_000_000:.1f} MB"
