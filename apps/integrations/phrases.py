"""What the trail says of connections and calls to the outside."""

from __future__ import annotations

from apps.vault.audit.phrases import name_resource, name_thing, say

_PHRASES = (
    ("integration.connected", "{who} connected {what}", "plug-connected", "ok"),
    ("integration.changed", "{who} changed the {fields} of the connection {what}", "settings", "info"),
    ("integration.enabled", "{who} enabled the connection {what}", "player-play", "ok"),
    ("integration.disabled", "{who} disabled the connection {what}", "player-pause", "warn"),
    ("integration.removed", "{who} removed the connection {what} and its credential", "trash", "warn"),
    ("integration.tested", "{who} tested the connection {what}: it {result}", "plug-connected", "info"),
    ("integration.rotated", "{who} rotated the credential of {what}", "rotate", "ok"),
    ("integration.rotation_failed", "{who} tried a new credential for {what}: {error}", "alert-circle", "bad"),
    ("integration.consented", "{who} gave {what} consent, as {identity}", "plug-connected", "ok"),
    ("integration.consent_failed", "{who} could not connect {what}: {reason}", "alert-circle", "warn"),
    ("integration.consent_lost", "{what} does not take its consent any more: {error}", "alert-circle", "bad"),
    ("integration.disconnected", "{who} disconnected {what}; the service was {at_service}", "plug", "warn"),
    (
        "outbound.opened",
        "{who} let connections call {what}, which is inside the operator's network: {reason}",
        "lock-open",
        "warn",
    ),
    ("outbound.closed", "{who} closed {what} to connections", "lock", "info"),
    ("integration.data_sent", "{who} sent data to {what}: {data}", "send", "info"),
    ("integration.delivery_refused", "A delivery to {what} was refused: {reason}", "shield-x", "warn"),
)


def say_all() -> None:
    """Called once, at start-up."""
    name_resource("integration", "Integrations")
    name_resource("outbound", "Calls to the outside")
    name_thing("integration", "connection")
    for action, words, icon, state in _PHRASES:
        say(action, words, icon, state)
