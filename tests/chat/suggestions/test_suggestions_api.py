"""Canned responses that are suggested for an open conversation, through the API."""

from __future__ import annotations

import time
from decimal import Decimal
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.generations import chosen_model
from apps.chat.models import CannedResponse, Conversation, ReplyOffer, ReplyProfile
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.chat.services.messages import receive_message, send_reply
from apps.chat.suggestions.packing import pack
from apps.chat.suggestions.preparing import sweep
from apps.chat.suggestions.profiles import serving_model
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.usage import month_of_use
from tests.api_client import ApiClient, by_key
from tests.chat.conftest import SYSTEM, Say
from tests.threads import at_once, somebody_waits_for_a_lock
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]

REFUND = "Your money is on its way back to your card. It takes five to ten working days to show."
PARCEL = "Your parcel left our warehouse. You can follow it with the tracking number in your e-mail."
HOURS = "Our shop is open from nine to five, Monday to Saturday."


@pytest.fixture
def api(account: Account) -> ApiClient:
    return by_key(account, Role.MEMBER)


@pytest.fixture
def canned(api: ApiClient) -> dict[str, str]:
    """Three canned responses: their ids by code."""
    texts = {"refund": REFUND, "parcel": PARCEL, "opening-hours": HOURS}
    return {
        code: api.post("canned-responses", {"short_code": code, "content": text}).json["id"]
        for code, text in texts.items()
    }


def at(conversation: Conversation) -> str:
    return f"conversations/{conversation.pk}/suggestions"


def codes(answer: Any) -> list[str]:
    assert answer.status == 200, answer.content
    return [one["canned_response"]["short_code"] for one in answer.json["results"]]


def score(api: ApiClient, conversation: Conversation, code: str) -> float:
    found = api.get(f"{at(conversation)}?limit=10").json["results"]
    return next((one["score"] for one in found if one["canned_response"]["short_code"] == code), 0.0)


def embedded(account: Account) -> int:
    """How many texts were embedded so far, as the ledger has it."""
    with tenant(account):
        return month_of_use(timezone.now()).embeddings


def test_what_fits_the_last_messages_is_suggested_best_first(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Hello!", "When do I get my money back?", "I sent the shoes back to you last week.")
    answer = api.get(at(conversation))
    assert codes(answer)[0] == "refund"
    scores = [one["score"] for one in answer.json["results"]]
    assert scores == sorted(scores, reverse=True) and 0.4 <= scores[-1] <= scores[0] <= 1
    assert answer.json["results"][0]["canned_response"]["content"] == REFUND
    assert answer.json["preparing"] == 0
    with tenant(account):
        assert answer.json["message"] == str(conversation.messages.order_by("-id").first().pk)


def test_nothing_is_suggested_where_nothing_fits(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    assert codes(api.get(at(say(account, "The violin sonata in G minor is my favourite piece of music.")))) == []


def test_only_what_the_customer_said_lately_counts(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(
        account,
        "When do I get my money back?",
        "Never mind, the money came.",
        "Where is my parcel now?",
        "The tracking number does not work.",
        "Can you see where the parcel is?",
    )
    assert codes(api.get(at(conversation)))[0] == "parcel"


def test_a_choice_and_an_answer_at_the_same_moment_do_not_lock_each_other_out(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "When do I get my money back?")
    api.get(at(conversation))
    is_locked = Event()

    def choose() -> None:
        with tenant(account):
            ReplyOffer.objects.select_for_update().get()  # as in record_choice, before it stands in the trail
            is_locked.set()
            patience = time.monotonic() + 20
            while not somebody_waits_for_a_lock():
                assert time.monotonic() < patience
                time.sleep(0.01)
            audit.record("suggestion.accepted", actor=SYSTEM, label="refund")

    def answer() -> None:
        is_locked.wait(30)
        with tenant(account):
            member = Membership.objects.select_related("user").first().user
            actor = Actor("user", member.id, member.email, Role.OWNER, member.id)
            send_reply(lock_conversation(conversation.pk), REFUND, actor=actor)

    at_once(choose, answer)
    with tenant(account):
        assert conversation.messages.filter(message_type="outgoing").count() == 1


def test_before_anything_was_said_nothing_is_suggested(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account)
    answer = api.get(at(conversation))
    assert (answer.json["message"], answer.json["results"]) == (None, [])
    refused = api.post(at(conversation), {"canned_response": canned["refund"], "choice": "accepted"})
    assert (refused.status, refused.json["code"]) == (409, "nothing_asked")


def test_asking_again_embeds_nothing_again(api: ApiClient, account: Account, say: Say, canned: dict[str, str]) -> None:
    conversation = say(account, "Where is my parcel?")
    first = api.get(at(conversation))
    before = embedded(account)
    assert before == 4  # three responses and the question
    assert api.get(at(conversation)).json == first.json
    assert embedded(account) == before


def test_a_written_or_changed_response_is_prepared_in_the_background(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    with tenant(account):
        ReplyProfile.objects.update(due_at="2026-01-01T00:00Z")
    sweep()
    assert work_off(account, "suggestions.prepare") == ["done"]
    with tenant(account):
        assert ReplyProfile.objects.filter(due_at=None).exclude(model="").count() == 3
    conversation = say(account, "Do you repair bicycles?")
    assert "parcel" not in codes(api.get(at(conversation)))
    api.patch(
        f"canned-responses/{canned['parcel']}", {"content": "Yes, we repair bicycles, on the day you bring them."}
    )
    with tenant(account):
        ReplyProfile.objects.exclude(due_at=None).update(due_at="2026-01-01T00:00Z")
    sweep()
    assert work_off(account, "suggestions.prepare") == ["done"]
    assert codes(api.get(at(conversation)))[0] == "parcel"


def test_many_responses_are_left_to_the_background_and_the_answer_says_so(
    api: ApiClient, account: Account, say: Say
) -> None:
    for number in range(12):
        api.post("canned-responses", {"short_code": f"code-{number}", "content": f"Shelf {number} is in aisle four."})
    conversation = say(account, "Which aisle is the shelf in?")
    answer = api.get(at(conversation))
    assert (answer.json["results"], answer.json["preparing"]) == ([], 12)
    with tenant(account):
        ReplyProfile.objects.exclude(due_at=None).update(due_at="2026-01-01T00:00Z")  # no more changes to wait for
    assert work_off(account, "suggestions.prepare") == ["done"]
    answer = api.get(at(conversation))
    assert (len(answer.json["results"]), answer.json["preparing"]) == (3, 0)


def test_vectors_lie_encrypted_and_go_with_what_they_are_of(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    api.get(at(conversation))
    with tenant(account), connection.cursor() as cursor:
        for table in ("chat_replyprofile", "chat_replyoffer"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0
        cursor.execute("SELECT max(length(question)) FROM chat_replyoffer")
        assert cursor.fetchone()[0] == 384 * 4 * 4 // 3 + 33  # sealed, and no longer than it has to be
        delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
        assert not ReplyOffer.objects.exists()
    assert api.delete(f"canned-responses/{canned['parcel']}").status == 204
    with tenant(account):
        assert ReplyProfile.objects.count() == 2


def test_a_secret_in_a_question_is_hidden_before_it_is_embedded(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    one = say(account, "Where is my parcel? My password is hunter2hunter2")
    other = say(account, "Where is my parcel? My password is another-one-8")
    api.get(at(one))
    api.get(at(other))
    with tenant(account):
        first, second = (offer.question for offer in ReplyOffer.objects.all())
    assert first == second


# --- choices


def test_an_accepted_reply_rises_for_questions_of_its_kind(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    ask = "The courier left my order with somebody in the street, and I do not know who."
    fresh = say(account, ask)
    before = score(api, fresh, "opening-hours")
    for number in range(4):
        conversation = say(account, f"{ask} It is order {number}.")
        chosen = api.post(at(conversation), {"canned_response": canned["opening-hours"], "choice": "accepted"})
        assert chosen.status == 200 and chosen.json["accepted"] == canned["opening-hours"]
    after = score(api, fresh, "opening-hours")
    assert before < 0.4 <= after
    assert codes(api.get(at(fresh)))[0] == "opening-hours"
    unlike = say(account, "When do I get my money back?")
    assert codes(api.get(at(unlike)))[0] == "refund"  # other kinds of question stay what they were


def test_a_reply_that_is_always_ignored_sinks(api: ApiClient, account: Account, say: Say) -> None:
    for code, text in (("parcel-1", PARCEL), ("parcel-2", PARCEL)):
        api.post("canned-responses", {"short_code": code, "content": text})
    question = "Where is my parcel? Do you have a tracking number for me?"
    fresh = say(account, question)
    first, second = codes(api.get(at(fresh)))
    with tenant(account):
        sinking = ReplyProfile.objects.get(canned_response__short_code=first).canned_response_id
    for _ in range(6):
        conversation = say(account, question)
        answer = api.post(at(conversation), {"canned_response": str(sinking), "choice": "ignored"})
        assert answer.json["ignored"] == [str(sinking)]
    assert codes(api.get(at(fresh))) == [second, first]


def test_a_message_counts_once_and_another_choice_takes_the_place_of_the_one_before(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    for code in ("refund", "parcel", "parcel"):
        assert api.post(at(conversation), {"canned_response": canned[code], "choice": "accepted"}).status == 200
    assert counts(account) == {"refund": (0, 0), "parcel": (1, 0), "opening-hours": (0, 0)}
    with tenant(account):
        assert ReplyProfile.objects.get(canned_response=canned["refund"]).learnt == ""
    assert [one["accepted"] for one in api.get(at(conversation)).json["results"]] == [True]
    api.post(at(conversation), {"canned_response": canned["parcel"], "choice": "ignored"})
    api.post(at(conversation), {"canned_response": canned["parcel"], "choice": "ignored"})
    assert counts(account) == {"refund": (0, 0), "parcel": (0, 1), "opening-hours": (0, 0)}


def counts(account: Account) -> dict[str, tuple[int, int]]:
    with tenant(account):
        rows = ReplyProfile.objects.values_list("canned_response__short_code", "accepted", "ignored")
        return {code: (accepted, ignored) for code, accepted, ignored in rows}


def test_an_answer_tells_what_was_taken_of_what_was_shown(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel? I want my money back if it does not come.")
    shown = codes(api.get(at(conversation)))
    assert {"parcel", "refund"} <= set(shown)
    sent = api.post(f"conversations/{conversation.pk}/messages", {"content": f"Hello Ann,\n\n{PARCEL}\n\nBest, Bob"})
    assert sent.status == 201
    found = counts(account)
    assert (found["parcel"], found["refund"]) == ((1, 0), (0, 1))
    api.post(f"conversations/{conversation.pk}/messages", {"content": "One more thing: thank you."})
    assert counts(account) == found
    late = api.post(at(conversation), {"canned_response": canned["refund"], "choice": "accepted"})
    assert (late.status, late.json["code"]) == (409, "already_answered")
    assert api.post(at(conversation), {"canned_response": canned["parcel"], "choice": "accepted"}).status == 200
    assert counts(account) == found


def test_an_own_answer_means_that_what_was_shown_was_ignored(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    assert codes(api.get(at(conversation))) == ["parcel"]
    api.post(f"conversations/{conversation.pk}/messages", {"content": "It lies at your neighbour's."})
    assert counts(account)["parcel"] == (0, 1)
    with tenant(account):
        receive_message(lock_conversation(conversation.pk), "Which parcel is at the neighbour's?", actor=SYSTEM)
    api.get(at(conversation))
    api.post(f"conversations/{conversation.pk}/messages", {"content": "The small one."})
    assert counts(account)["parcel"] == (0, 2)


def test_what_nobody_saw_is_not_ignored(api: ApiClient, account: Account, say: Say, canned: dict[str, str]) -> None:
    conversation = say(account, "Where is my parcel?")
    by_key(account, Role.VIEWER).get(at(conversation))
    api.post(f"conversations/{conversation.pk}/messages", {"content": "It lies at your neighbour's."})
    assert counts(account)["parcel"] == (0, 0)


def test_messages_in_a_row_are_one_question(api: ApiClient, account: Account, say: Say, canned: dict[str, str]) -> None:
    conversation = say(account, "Where is my parcel?")
    api.get(at(conversation))
    with tenant(account):
        receive_message(lock_conversation(conversation.pk), "Is the parcel lost?", actor=SYSTEM)
    api.get(at(conversation))
    api.post(f"conversations/{conversation.pk}/messages", {"content": "It lies at your neighbour's."})
    assert counts(account)["parcel"] == (0, 1)


def test_choices_are_in_the_trail_without_what_was_said(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    api.post(at(conversation), {"canned_response": canned["parcel"], "choice": "accepted"})
    entries = by_key(account, Role.OWNER).get("audit?action=suggestion.accepted").json["results"]
    assert [entry["entity_id"] for entry in entries] == [canned["parcel"]]
    assert "parcel?" not in str(entries)


# --- what stands in the way


def test_a_viewer_sees_suggestions_and_chooses_none(account: Account, say: Say, canned: dict[str, str]) -> None:
    viewer, conversation = by_key(account, Role.VIEWER), say(account, "Where is my parcel?")
    assert codes(viewer.get(at(conversation))) == ["parcel"]
    body = {"canned_response": canned["parcel"], "choice": "accepted"}
    assert viewer.post(at(conversation), body).status == 403


def test_what_is_wrong_is_named(api: ApiClient, account: Account, say: Say, canned: dict[str, str]) -> None:
    conversation = say(account, "Where is my parcel?")
    for body, faults in (
        ({}, {"canned_response": "required", "choice": "required"}),
        ({"canned_response": str(uuid4()), "choice": "accepted"}, {"canned_response": "not_found"}),
        ({"canned_response": canned["parcel"], "choice": "maybe"}, {"choice": "invalid_choice"}),
    ):
        assert api.post(at(conversation), body).faults == faults, body
    assert api.get(f"{at(conversation)}?limit=11").faults == {"limit": "max_value"}
    assert api.get(f"conversations/{uuid4()}/suggestions").status == 404


def test_switched_off_it_says_so(account: Account, say: Say, canned: dict[str, str]) -> None:
    owner, conversation = by_key(account, Role.OWNER), say(account, "Where is my parcel?")
    assert (
        owner.patch("account/features", {"features": [{"name": "smart_suggestions", "enabled": False}]}).status == 200
    )
    refused = owner.get(at(conversation))
    assert (refused.status, refused.json["code"], refused.json["feature"]) == (409, "feature_off", "smart_suggestions")
    body = {"canned_response": canned["parcel"], "choice": "accepted"}
    assert owner.post(at(conversation), body).json["code"] == "feature_off"
    assert owner.post(f"conversations/{conversation.pk}/messages", {"content": "It is on its way."}).status == 201


def test_a_limit_that_is_reached_is_named(account: Account, say: Say, canned: dict[str, str]) -> None:
    owner, conversation = by_key(account, Role.OWNER), say(account, "Where is my parcel?")
    with tenant(account):
        set_limit(actor=SYSTEM, amount=Decimal(0), measure="quantity", unit="embeddings")
    refused = owner.get(at(conversation))
    assert refused.status == 429 and "embeddings" in refused.json["detail"]


def test_another_model_is_built_beside_and_takes_over_when_it_is_whole(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    assert codes(api.get(at(conversation))) == ["parcel"]
    other = "sentence-transformers/all-MiniLM-L6-v2"
    with tenant(account):
        before = serving_model()
        project = AINativeProject.objects.get()
        project.settings = {**project.settings, "embeddings_model": other}
        project.save()
    answer = api.get(at(conversation))
    assert codes(answer) == ["parcel"] and answer.json["preparing"] == 0
    with tenant(account):
        assert serving_model() == before
    assert work_off(account, "suggestions.rebuild") == ["done"]
    assert codes(api.get(at(conversation))) == ["parcel"]
    with tenant(account):
        assert set(ReplyProfile.objects.values_list("model", flat=True)) == {other}
        assert ReplyOffer.objects.get().model == other
    api.get(at(conversation))
    assert work_off(account, "suggestions.rebuild") == []


def test_what_is_learnt_outlives_a_rewording_and_not_another_answer(
    api: ApiClient, account: Account, say: Say, canned: dict[str, str]
) -> None:
    conversation = say(account, "Where is my parcel?")
    api.post(at(conversation), {"canned_response": canned["parcel"], "choice": "accepted"})
    for text, accepted in ((PARCEL + " Thank you for waiting!", 1), ("Violins are tuned in fifths, from G to E.", 0)):
        api.patch(f"canned-responses/{canned['parcel']}", {"content": text})
        with tenant(account):
            ReplyProfile.objects.filter(due_at__isnull=False).update(due_at="2026-01-01T00:00Z")
        sweep()
        work_off(account, "suggestions.prepare")
        assert counts(account)["parcel"][0] == accepted


def test_it_is_soon_there_however_many_responses_there_are(
    api: ApiClient, account: Account, say: Say, django_assert_max_num_queries: Any
) -> None:
    with tenant(account):
        made = CannedResponse.objects.bulk_create(
            CannedResponse(short_code=f"code-{number}", content=f"Parcel number {number} is on its way.")
            for number in range(500)
        )
        vector = pack([1.0] * 384)
        ReplyProfile.objects.bulk_create(
            ReplyProfile(canned_response=one, vector=vector, learnt=vector, accepted=3, model=chosen_model())
            for one in made
        )
    conversation = say(account, "Where is my parcel?")
    api.get(at(conversation))
    began = time.thread_time()  # of the processor: a busy machine is no fault
    with django_assert_max_num_queries(20):
        assert api.get(at(conversation)).status == 200
    assert time.thread_time() - began < 2  # SG1 measures it; this only notices what went wrong by far
