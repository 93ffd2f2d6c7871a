"""What the trail says of conversations."""

from __future__ import annotations

from apps.vault.audit.phrases import name_resource, name_thing, say

_PHRASES = (
    ("inbox.created", "{who} made the inbox {what}", "inbox", "ok"),
    ("inbox.updated", "{who} changed the {fields} of the inbox {what}", "inbox", "info"),
    ("inbox.deleted", "{who} removed the inbox {what}", "trash", "warn"),
    ("label.created", "{who} made the label {what}", "tag", "ok"),
    ("label.updated", "{who} changed the {fields} of the label {what}", "tag", "info"),
    ("label.deleted", "{who} removed the label {what}", "trash", "warn"),
    ("canned_response.created", "{who} wrote the canned response {what}", "messages", "ok"),
    ("canned_response.updated", "{who} changed the {fields} of the canned response {what}", "messages", "info"),
    ("canned_response.deleted", "{who} removed the canned response {what}", "trash", "warn"),
    ("suggestion.accepted", "{who} took the suggested reply {what}", "bulb", "info"),
    ("suggestion.ignored", "{who} set aside the suggested reply {what}", "bulb", "info"),
    ("conversation.opened", "{who} began the conversation {what} in {inbox}", "message-plus", "ok"),
    ("conversation.changed", "{who} changed the {fields} of the conversation {what}", "message", "info"),
    ("conversation.labelled", "{who} changed the labels of the conversation {what}", "tag", "info"),
    ("conversation.deleted", "{who} removed the conversation {what} and all that was said in it", "trash", "warn"),
    (
        "conversation_import.finished",
        "{who} imported {what}: {conversations} with {messages} messages, {canned} canned responses",
        "inbox",
        "ok",
    ),
    ("message.received", "A message came in through {who}", "message", "info"),
    ("message.sent", "{who} answered in a conversation", "send", "info"),
    ("memory.remembered", "{who} noted a fact about {what}", "brain", "ok"),
    ("memory.proposed", "{who} proposed a fact about {what}", "brain", "info"),
    ("memory.changed", "{who} changed a fact about {what}", "brain", "info"),
    ("memory.forgotten", "{who} forgot a fact about {what}", "trash", "warn"),
    ("memory.all_forgotten", "{who} forgot all {facts} facts about {what}", "trash", "warn"),
    ("index.rebuild_started", "{who} began to build the index of conversations anew", "rotate", "info"),
    ("index.rebuilt", "The new index of conversations took over, with {messages} messages", "rotate", "ok"),
    ("suggestion.rebuild_started", "{who} began to prepare all canned responses anew", "rotate", "info"),
    ("suggestion.rebuilt", "What was prepared anew of {responses} canned responses took over", "rotate", "ok"),
    ("memory.rebuild_started", "{who} began to prepare all facts anew", "rotate", "info"),
    ("message.noted", "{who} wrote a note in a conversation", "note", "info"),
)


def say_all() -> None:
    """Called once, at start-up."""
    name_resource("inbox", "Inboxes")
    name_resource("conversation_import", "Imports of conversations")
    name_resource("memory", "Agent memory")
    name_resource("suggestion", "Smart suggestions")
    name_resource("index", "Index of conversations")
    name_thing("indexgeneration", "index")
    name_thing("inbox", "inbox")
    name_thing("cannedresponse", "canned response")
    for action, words, icon, state in _PHRASES:
        say(action, words, icon, state)
