"""Addresses of this floor's pages, below /app/<slug>/ in the namespace ``app``."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.chat.pages import (
    attachments,
    beginning,
    canned_responses,
    changing,
    contact_memories,
    conversation,
    inbox,
    index_panel,
    keeping,
    memories,
    saying,
    search,
    similar,
    suggestions,
    word_search,
)
from apps.chat.pages.kept_kinds import KINDS

_ONE = "inbox/<uuid:conversation_id>/"

tenant: list[URLPattern] = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/search/", search.search, name="inbox_search"),
    path("inbox/new/", beginning.begin, name="inbox_new"),
    path(_ONE, conversation.conversation, name="inbox_conversation"),
    path(_ONE + "lines/", conversation.lines, name="inbox_lines"),
    path(_ONE + "files/<uuid:attachment_id>/", attachments.file, name="inbox_file"),
    path(_ONE + "say/", saying.say, name="inbox_say"),
    path(_ONE + "status/", changing.status, name="inbox_status"),
    path(_ONE + "snooze/", changing.snooze, name="inbox_snooze"),
    path(_ONE + "assign/", changing.assign, name="inbox_assign"),
    path(_ONE + "labels/", changing.labels, name="inbox_conversation_labels"),
    path(_ONE + "delete/", changing.delete, name="inbox_delete"),
    path(_ONE + "memories/", memories.remembered, name="inbox_memories"),
    path(_ONE + "memories/propose/", memories.propose, name="inbox_memories_propose"),
    path("ai/index/", index_panel.index, name="ai_index"),
    path("ai/index/rebuild/", index_panel.rebuild, name="ai_index_rebuild"),
    path("ai/index/go-on/", index_panel.go_on, name="ai_index_go_on"),
    path("ai/words/", word_search.words, name="ai_words"),
    path("ai/words/again/", word_search.again, name="ai_words_again"),
    path(_ONE + "memories/recalled/", memories.recalled, name="inbox_memories_recalled"),
    path("contacts/<uuid:contact_id>/memories/", contact_memories.facts, name="contact_memories"),
    path("contacts/<uuid:contact_id>/memories/forget/", contact_memories.forget_all, name="contact_memories_forget"),
    path("memories/<uuid:memory_id>/edit/", contact_memories.edit, name="memory_edit"),
    path(_ONE + "similar/", similar.similar, name="inbox_similar"),
    path(_ONE + "suggestions/", suggestions.suggested, name="inbox_suggestions"),
    path("memories/<uuid:memory_id>/", memories.decide, name="memory"),
    path("inbox/canned/pick/", canned_responses.pick, name="inbox_canned_pick"),
    *keeping.urls(KINDS),
]
