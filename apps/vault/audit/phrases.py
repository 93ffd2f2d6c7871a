"""What each action of the trail is called in a sentence. Floors above add theirs with ``say``.

In ``words``, ``{who}`` is the one who acted, ``{what}`` the thing it was done to, ``{fields}`` what was changed of it,
and ``{role}`` any fact of the entry; of a fact that changed there are ``{role_before}`` and ``{role_after}``. An
action without a phrase, or an entry that lacks one of its facts, reads as its name does: "integration.enabled"
becomes "{who} enabled the integration {what}".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """``state`` is one of the five states, by what the reader should think of it; ``icon`` stands beside it."""

    words: str
    icon: str
    state: str = "info"


_phrases: dict[str, Phrase] = {}
_resources: dict[str, str] = {}
_things = {
    "ainativeproject": "AI project",
    "apikey": "API key",
    "auditentry": "entry",
    "contactimport": "import",
    "membership": "member",
    "featurestage": "feature",
    "user": "person",
}


def say(action: str, words: str, icon: str, state: str = "info") -> None:
    """Give ``action`` its sentence; apps do this at start-up."""
    _phrases[action] = Phrase(words, icon, state)


def name_resource(resource: str, heading: str) -> None:
    """Give the actions ``resource.*`` a heading in filters."""
    _resources[resource] = heading


def name_thing(entity_type: str, thing: str) -> None:
    """Say what things of this type are called: "connection" for ``integration``."""
    _things[entity_type] = thing


def phrase_of(action: str) -> Phrase:
    """The phrase of ``action``, made from its name when it has none."""
    return _phrases.get(action) or plain_phrase(action)


def plain_phrase(action: str) -> Phrase:
    """The sentence that an action's name makes by itself."""
    resource, _, verb = action.partition(".")
    # Names of actions are ours and hold no braces.
    return Phrase(f"{{who}} {verb.replace('_', ' ')} the {resource.replace('_', ' ')} {{what}}", "writing")


def thing_of(entity_type: str) -> str:
    """What an entry was about, by its type: "API key" for ``apikey``."""
    return _things.get(entity_type, entity_type)


def headline_of(action: str) -> str:
    """An action in a list: "API key created"."""
    resource, _, verb = action.partition(".")
    thing = "API key" if resource == "api_key" else resource.replace("_", " ").capitalize()
    return f"{thing} {verb.replace('_', ' ')}".strip()


def heading_of(resource: str) -> str:
    """ "API keys" for ``api_key``."""
    return _resources.get(resource) or f"{resource.replace('_', ' ').capitalize()}s"


def short_of(action: str) -> str:
    """An action in the choices of a filter, below its resource's heading: "Role changed"."""
    return action.partition(".")[2].replace("_", " ").capitalize()


for _resource, _heading in {
    "account": "Account",
    "api_key": "API keys",
    "audit": "Audit trail",
    "contact": "Contacts",
    "contact_import": "Imports of contacts",
    "feature": "Features",
    "project": "AI project",
    "invitation": "Invitations",
    "job": "Background jobs",
    "limit": "Limits",
    "member": "Members",
    "messages": "Messages",
    "price": "Prices",
    "second_factor": "Second factors",
    "session": "Sessions",
    "staff": "Support staff",
    "token": "Tokens of services",
    "user": "Signing in",
    "vault": "Encryption",
}.items():
    name_resource(_resource, _heading)

for _action, _words, _icon, _state in (
    ("account.created", "{who} opened the account {what}", "building-community", "ok"),
    ("account.updated", "{who} changed the {fields} of the account", "settings", "info"),
    (
        "member.role_changed",
        "{who} changed the role of {what} from {role_before} to {role_after}",
        "id-badge-2",
        "info",
    ),
    ("member.removed", "{who} removed {what} from the account", "user-minus", "warn"),
    ("invitation.sent", "{who} invited {what} as {role}", "mail", "info"),
    ("invitation.resent", "{who} sent {what} a new invitation link", "mail", "info"),
    ("invitation.revoked", "{who} withdrew the invitation of {what}", "mail-opened", "info"),
    ("invitation.accepted", "{who} accepted the invitation as {role}", "mail-check", "ok"),
    ("api_key.created", "{who} made the API key {what}", "key", "info"),
    ("api_key.updated", "{who} changed the {fields} of the API key {what}", "key", "info"),
    ("api_key.rotated", "{who} gave the API key {what} new text", "rotate", "info"),
    ("api_key.deleted", "{who} deleted the API key {what}", "trash", "warn"),
    ("messages.search_changed", "{who} changed the {fields} of word search in messages", "settings", "info"),
    ("contact.created", "{who} added the contact {what}", "user-plus", "info"),
    ("contact.updated", "{who} changed the {fields} of {what}", "edit", "info"),
    ("contact.exported", "{who} exported all that is kept about {what}", "download", "info"),
    ("contact.deleted", "{who} deleted the contact {what}", "trash", "warn"),
    ("contact.imported", "{who} imported rows {rows} of {what}", "upload", "info"),
    ("contact_import.started", "{who} began to import {what}, {rows} rows", "upload", "info"),
    (
        "contact_import.finished",
        "{who} imported {what}: {added} added, {merged} merged, {rejected} rejected",
        "upload",
        "ok",
    ),
    ("contact_import.cancelled", "{who} stopped the import of {what}", "player-stop", "info"),
    ("feature.switched_on", "{who} switched on {what}", "toggle-right", "ok"),
    ("feature.switched_off", "{who} switched off {what}", "toggle-left", "warn"),
    ("feature.choice_withdrawn", "{who} left {what} to the operator’s stage", "toggle-left", "info"),
    ("feature.staged", "{who} moved {what} from “{stage_before}” to “{stage_after}”", "flag", "info"),
    ("project.provisioned", "{who} set up the AI project", "sparkles", "ok"),
    ("project.failed", "{who} could not set up the AI project", "alert-circle", "bad"),
    ("project.provisioning_requested", "{who} asked to set up the AI project again", "refresh", "info"),
    ("project.left_behind", "{who} left the AI project behind: another service is in use", "refresh", "warn"),
    ("project.twin_removed", "{who} removed a second AI project that was empty", "refresh", "info"),
    ("project.twin_found", "{who} found a second AI project that holds data", "alert-circle", "warn"),
    ("project.entered_by_hand", "{who} entered the AI project by hand", "edit", "warn"),
    ("project.settings_changed", "{who} changed the {fields} of the AI project", "adjustments", "info"),
    ("project.key_revealed", "{who} revealed the key of the AI project", "eye", "warn"),
    ("project.key_reveal_refused", "{who} was refused the key of the AI project", "alert-circle", "bad"),
    ("job.retried", "{who} started the job {what} again", "refresh", "info"),
    ("project.key_reveal_paused", "{who} guessed too often for the key of the AI project", "alert-circle", "bad"),
    ("job.cancelled", "{who} cancelled the job {what}", "player-stop", "info"),
    ("token.stored", "{who} stored the grant that {what} gave", "key", "ok"),
    ("token.replaced", "{who} replaced the grant that {what} gave", "rotate", "info"),
    ("token.revoked", "{who} gave the grant of {what} back", "trash", "warn"),
    ("limit.set", "{who} limited {what} to {to}", "gauge", "info"),
    ("limit.changed", "{who} changed the limit of {what} to {to}", "gauge", "info"),
    ("limit.removed", "{who} removed the limit of {what}", "gauge", "warn"),
    ("limit.alerted", "{percent} % of the limit of {what} are used", "alert-triangle", "warn"),
    ("price.set", "{who} set the price of {what} to {price_after}", "database", "info"),
    ("price.removed", "{who} removed the price of {what}", "database", "warn"),
    ("audit.exported", "{who} exported the audit trail as {format}", "download", "info"),
    ("vault.decryption_failed", "{what} of row {row} does not decrypt: it was changed or moved", "alert-circle", "bad"),
    ("user.signed_in", "{who} signed in", "door-enter", "info"),
    ("user.signed_out", "{who} signed out", "door", "off"),
    ("user.signed_up", "{who} signed up", "user-plus", "ok"),
    ("user.sign_in_failed", "Sign-in as {what} failed: {reason}", "alert-circle", "bad"),
    ("user.password_changed", "{who} changed the password", "password-user", "info"),
    ("user.password_reset", "{who} reset the password by e-mail", "password-user", "warn"),
    ("user.email_added", "{who} added the e-mail {email}", "mail", "info"),
    ("user.email_confirmed", "{who} confirmed the e-mail {email}", "mail-check", "ok"),
    ("user.email_changed", "{who} changed the e-mail from {email_before} to {email_after}", "mail", "info"),
    ("user.email_removed", "{who} removed the e-mail {email}", "mail", "info"),
    ("user.switched_off", "{who} switched off the sign-in of {what}", "user-x", "warn"),
    ("user.switched_on", "{who} switched on the sign-in of {what} again", "user-check", "ok"),
    ("user.second_factors_removed", "{who} took the second factors of {what} away", "shield-x", "warn"),
    ("second_factor.added", "{who} added a second factor: {type}", "shield-check", "ok"),
    ("second_factor.removed", "{who} removed a second factor: {type}", "shield-x", "warn"),
    ("second_factor.used", "{who} proved a second factor: {type}", "fingerprint", "ok"),
    ("second_factor.failed", "{who} failed at a second factor: {type}", "alert-circle", "bad"),
    ("session.ended", "{who} signed out a session of {what}", "logout", "info"),
    ("staff.listed", "{who} looked through the {list}", "eye", "warn"),
    ("staff.viewed", "{who} looked at {thing}", "eye", "warn"),
    ("staff.super_admin_unmade", "{who} made {what} an ordinary person again", "shield-x", "warn"),
    ("staff.super_admin_made", "{who} made {what} a super admin", "shield-lock", "warn"),
    ("staff.static_tokens_minted", "{who} made {count} one-use tokens for {what}", "lifebuoy", "warn"),
    ("staff.break_glass_used", "{who} entered the admin with a one-use token", "lock-open", "warn"),
):
    say(_action, _words, _icon, _state)
