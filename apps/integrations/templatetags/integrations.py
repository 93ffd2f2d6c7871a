"""What pages show of providers and connections."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.integrations.models import Integration
from apps.integrations.providers import Provider
from apps.integrations.providers.icons import picture

register = template.Library()


@register.simple_tag
def provider_tile(provider: Provider, size: str = "") -> SafeString:
    """The square sign of a provider. ``size``: "" or "s"."""
    return format_html(
        '<span class="{}" aria-hidden="true">{}</span>', f"sr-tile {size}".strip(), picture(provider.icon)
    )


@register.filter
def job_words(job: str) -> str:
    """What was asked of a connection: "create checkout" for ``payment.create_checkout``."""
    return job.partition(".")[2].replace("_", " ") or job


@register.inclusion_tag("integrations/oauth/buttons.html")
def consent_buttons(row: Integration, slug: str, size: str = "") -> dict[str, object]:
    """Connect, connect again, disconnect: nothing for providers without consent. ``size``: "" or " btn-sm".

    One that calls with a key, or as an application itself, has nothing to disconnect; signing in takes its place.
    """
    oauth = row.definition.oauth
    otherwise = oauth is not None and not oauth.is_by_consent(row.credentials, row.settings)
    return {"row": row, "slug": slug, "size": size, "otherwise": otherwise}
