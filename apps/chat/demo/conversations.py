"""An inbox that reads like a real one: months of conversations, and some of this morning that wait."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, OuterRef, Subquery
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.demo.cast import Company
from apps.accounts.identifiers import uuid7_at
from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.chat.demo.ai_use import add_searches, remember_facts
from apps.chat.demo.stories import CUSTOMER, NOTE, Story, Turn, intents, signed, stories
from apps.chat.demo.timing import answering, beginning, returning
from apps.chat.indexing import changes
from apps.chat.indexing.generations import INDEXED_TYPES
from apps.chat.models import CannedResponse, Conversation, ConversationLabel, Inbox, Label, Message
from apps.chat.services.messages import PREVIEW_LETTERS
from apps.chat.suggestions.profiles import note_replies
from apps.vault.messages import fill_contents
from apps.vault.models import Contact

EACH = 6
FRESH = 9
Status, Type, Sender = Conversation.Status, Message.Type, Message.Sender
_WEBSITE, _EMAIL = Inbox.Channel.WEBSITE, Inbox.Channel.EMAIL
# Whose texts fill which inboxes of an account.
INBOXES = {
    "harbour-pine": (
        ("Harbour Lettings", (("Website chat", _WEBSITE), ("Lettings e-mail", _EMAIL))),
        ("Northwind Outfitters", (("Northwind shop", _WEBSITE),)),
    ),
    "acme-cloud": (("Acme Cloud", (("Help in the product", _WEBSITE), ("Support e-mail", _EMAIL))),),
}
_COLOURS = Label.Colour.values


@dataclass
class Told:
    """One conversation on its way into the table, with all that belongs to it."""

    row: Conversation
    messages: list[tuple[Message, str]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    fact: str = ""


@dataclass(frozen=True)
class Cast:
    """Who and what conversations of one account are about."""

    contacts: list[Contact]
    members: list[Membership]
    labels: dict[str, Label]
    now: datetime
    chance: random.Random


def add_conversations(account: Account, company: Company, actor: Actor, **_: Any) -> None:
    """Fill the account (in its scope) with conversations, the same ones every time, at times that end today."""
    if company.slug not in INBOXES:
        return
    chance = random.Random(company.slug)  # noqa: S311 - the same conversations every time is the point
    members = list(Membership.objects.exclude(role=Role.VIEWER).select_related("user").order_by("id"))
    contacts = list(Contact.objects.order_by("id"))
    cast = Cast(contacts, members, _labels(company), timezone.now().replace(microsecond=0), chance)
    told: list[Told] = []
    for name, kinds in INBOXES[company.slug]:
        inboxes = [Inbox.objects.create(name=title, channel=channel) for title, channel in kinds]
        plots = list(stories(name, EACH, chance))
        told += [_tell(plot, beginning(cast.now, chance), chance.choice(inboxes), cast) for plot in plots]
        told += [_tell_fresh(plot, number, chance.choice(inboxes), cast) for number, plot in enumerate(_fresh(plots))]
    canned = _canned(company)
    _store(told)
    remember_facts(((each.messages[0][0], each.fact) for each in told if each.fact), cast.now, chance)
    add_searches(members, cast.now, chance)
    audit.record(
        "conversation_import.finished",
        actor=actor,
        label="Demo conversations",
        changes={"conversations": len(told), "messages": sum(len(each.messages) for each in told), "canned": canned},
    )


def _labels(company: Company) -> dict[str, Label]:
    categories = sorted({intent.category for name, _ in INBOXES[company.slug] for intent in intents(name)})
    made = [
        Label(name=category.replace("_", " "), colour=_COLOURS[number % len(_COLOURS)])
        for number, category in enumerate(categories)
    ]
    urgent = Label(name="urgent", description="Before everything else.", colour=Label.Colour.RED)
    Label.objects.bulk_create([*made, urgent])
    return {**dict(zip(categories, made, strict=True)), "urgent": urgent}


def _canned(company: Company) -> int:
    texts = {
        code.replace("_", "-"): text
        for name, _ in INBOXES[company.slug]
        for intent in intents(name)
        for code, text in intent.canned
    }
    made = CannedResponse.objects.bulk_create(
        CannedResponse(short_code=code, content=text) for code, text in texts.items()
    )
    note_replies([each.pk for each in made])
    return len(texts)


def _fresh(plots: list[Story]) -> list[Story]:
    """Conversations of this morning: what was asked, and here and there a first answer."""
    step = max(1, len(plots) // FRESH)
    return [
        Story(plot.subject, plot.category, plot.turns[: 1 if number % 3 else 3], is_settled=False)
        for number, plot in enumerate(plots[3::step][:FRESH])
    ]


def _tell(story: Story, begins: datetime, inbox: Inbox, cast: Cast) -> Told:
    """A conversation that began on an earlier day, as far as it has got by now."""
    chance, member = cast.chance, cast.chance.choice(cast.members)
    told = _begin(story, begins, inbox, cast)
    moment = begins
    for number, turn in enumerate(story.turns):
        if number:
            moment = returning(moment, chance) if turn.by == CUSTOMER else answering(moment, chance)
        if moment >= cast.now - timedelta(minutes=20):
            break
        _say(told, turn, moment, member, chance)
    else:
        if story.is_settled or moment < cast.now - timedelta(days=12):
            _solve(told, moment + timedelta(minutes=chance.randint(1, 40)), member, cast)
    if told.row.status == Status.OPEN:
        _leave(told, member, cast)
    return told


def _tell_fresh(story: Story, number: int, inbox: Inbox, cast: Cast) -> Told:
    """One of today: nobody has read it, unless it was answered."""
    begins = cast.now - timedelta(minutes=4 + number * 23 + cast.chance.randint(0, 15))
    told = _begin(story, begins, inbox, cast)
    member = cast.members[number % len(cast.members)]
    for place, turn in enumerate(story.turns):
        _say(told, turn, begins + timedelta(minutes=place), member, cast.chance)
    told.row.assignee = None if number % 4 == 1 else member
    told.row.seen_at = told.row.first_reply_at
    if number == 0:
        told.labels.append(cast.labels["urgent"])
    return told


def _begin(story: Story, begins: datetime, inbox: Inbox, cast: Cast) -> Told:
    chance = cast.chance
    # Some people write often.
    place = min(int(chance.expovariate(1 / (len(cast.contacts) / 3))), len(cast.contacts) - 1)
    contact = cast.contacts[place]
    has_subject = inbox.channel == _EMAIL or chance.random() < 0.3
    row = Conversation(
        id=uuid7_at(int(begins.timestamp() * 1000)),
        inbox=inbox,
        contact=contact,
        subject=story.subject if has_subject else "",
        last_activity_at=begins,
    )
    labels = [cast.labels[story.category]] if chance.random() < 0.7 else []
    return Told(row, labels=labels, fact=story.fact)


def _say(told: Told, turn: Turn, moment: datetime, member: Membership, chance: random.Random) -> None:
    row, text = told.row, turn.text
    if turn.by == CUSTOMER:
        message = _message(row, Type.INCOMING, moment, sender_type=Sender.CONTACT, sender_id=row.contact_id)
        row.last_incoming_at = moment
        row.waiting_since = row.waiting_since or moment
    else:
        name = member.user.display_name
        if turn.by == NOTE:
            kind = Type.NOTE
        else:
            kind = Type.OUTGOING
            text = signed(text, (row.contact.name or "there").split()[0], name.split()[0], chance)
            row.first_reply_at, row.waiting_since = row.first_reply_at or moment, None
            row.seen_at = moment
        values = {"sender_type": Sender.MEMBER, "sender_id": member.user_id, "sender_name": name}
        message = _message(row, kind, moment, **values)
    if turn.by != NOTE:
        row.preview = " ".join(text.split())[:PREVIEW_LETTERS]
    row.last_activity_at = moment
    told.messages.append((message, text))


def _solve(told: Told, moment: datetime, member: Membership, cast: Cast) -> None:
    row = told.row
    if moment >= cast.now:
        return
    message = _message(row, Type.ACTIVITY, moment, sender_type=Sender.SYSTEM)
    told.messages.append((message, f"{member.user.display_name} solved the conversation."))
    row.status, row.resolved_at, row.assignee = Status.RESOLVED, moment, member
    row.waiting_since, row.seen_at = None, moment


def _leave(told: Told, member: Membership, cast: Cast) -> None:
    """What is not solved: in somebody's hands or nobody's, some of it put aside."""
    row, chance = told.row, cast.chance
    row.assignee = member if chance.random() < 0.75 else None
    row.seen_at = row.last_activity_at
    if row.waiting_since is None:
        row.status = chance.choice([Status.OPEN, Status.PENDING, Status.PENDING, Status.SNOOZED])
    if row.status == Status.SNOOZED:
        row.snoozed_until = cast.now.replace(hour=9, minute=0, second=0) + timedelta(days=chance.randint(1, 6))


def _message(row: Conversation, kind: Message.Type, moment: datetime, **sender: Any) -> Message:
    return Message(
        id=uuid7_at(int(moment.timestamp() * 1000)), conversation=row, message_type=kind, created_at=moment, **sender
    )


def _store(told: list[Told]) -> None:
    """Everything in few statements: the vault encrypts and indexes each text, PostgreSQL takes them by the thousand."""
    Conversation.objects.bulk_create([each.row for each in told], batch_size=500)
    labellings = [
        ConversationLabel(conversation=each.row, label=label) for each in told for label in dict.fromkeys(each.labels)
    ]
    ConversationLabel.objects.bulk_create(labellings, batch_size=1000)
    said = [pair for each in told for pair in each.messages]
    fill_contents([pair for pair in said if pair[0].message_type != Type.ACTIVITY])
    fill_contents([pair for pair in said if pair[0].message_type == Type.ACTIVITY], searchable=False)
    Message.objects.bulk_create([message for message, _ in said], batch_size=500)
    changes.note(
        [(message.id, message.conversation_id) for message, _ in said if message.message_type in INDEXED_TYPES]
    )
    first = Message.objects.filter(conversation=OuterRef("pk")).values("conversation").annotate(at=Min("created_at"))
    Conversation.objects.filter(pk__in=[each.row.pk for each in told]).update(created_at=Subquery(first.values("at")))
