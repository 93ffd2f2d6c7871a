"""The client against a server elsewhere that fails in every way a server can."""

from __future__ import annotations

import logging
import traceback

import httpx2
import pytest

from apps.integrations.outbound.breaker import FAILURES, Breaker, close_all
from apps.integrations.outbound.errors import BadAnswer, BadRequest, CircuitOpen, NoAnswer, NotConnected, OutboundError
from apps.integrations.outbound.http import Answer
from apps.integrations.zerodb.client import (
    AccountClient,
    KeyRefused,
    LimitReached,
    NotFound,
    ServerFault,
    TooManyRequests,
)
from apps.integrations.zerodb.client.answers import entries, read_embeddings, read_hit, read_project
from apps.integrations.zerodb.client.errors import judge
from tests.stand_ins import zerodb

pytestmark = pytest.mark.covers("P-10")


@pytest.fixture
def server():
    close_all()
    with zerodb.running() as stand_in:
        yield stand_in
    close_all()


@pytest.fixture
def waits():
    """The seconds the client would have slept."""
    return []


@pytest.fixture
def client(server, waits):
    timeout = httpx2.Timeout(0.5, connect=1.0)
    with AccountClient(server.url, zerodb.MASTER_KEY, timeout=timeout, sleep=waits.append) as found:
        yield found


def test_a_project_is_made_found_changed_and_deleted(client, server):
    made = client.create_project(name="Desk", tier="pro", metadata={"mark": "m"}, settings={"vector_dimensions": 384})
    assert made.name == "Desk" and made.status == "ACTIVE" and made.tier == "pro"
    assert made.api_key == server.projects[made.id]["api_key"]
    assert [project.id for project in client.projects()] == [made.id]
    assert client.get_project(made.id).metadata == {"mark": "m"}
    client.set_status(made.id, "suspended")
    assert client.get_project(made.id).status == "SUSPENDED"
    client.delete_project(made.id)
    with pytest.raises(NotFound):
        client.get_project(made.id)


def test_lists_are_read_to_their_last_page(client, server):
    for number in range(250):
        server.projects[str(number)] = {
            "id": str(number),
            "name": f"p{number}",
            "status": "ACTIVE",
            "tier": "pro",
            "api_key": "k",
        }
    assert [project.name for project in client.projects()] == [f"p{number}" for number in range(250)]
    assert server.count("GET", "projects") == 3


READ = ("GET", lambda client: list(client.projects()))
CREATE = ("POST", lambda client: client.create_project(name="x"))


class TestWhatIsRepeated:
    @pytest.mark.parametrize("kind", ["status", "lost_before", "lost_after", "half"])
    def test_reads_are_repeated_until_they_work(self, client, server, waits, kind):
        server.fail(kind, 2)
        assert list(client.projects()) == []
        assert len(server.requests) == 3 and len(waits) == 2
        assert 0 < waits[0] <= 0.5 and 0 < waits[1] <= 1.0

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("status", ServerFault),
            ("lost_before", NoAnswer),
            ("lost_after", NoAnswer),
            ("half", NoAnswer),
            ("garbage", BadAnswer),
        ],
    )
    def test_a_bare_create_is_never_repeated_and_may_have_happened(self, client, server, waits, kind, expected):
        server.fail(kind)
        with pytest.raises(expected) as failure:
            client.create_project(name="x")
        assert failure.value.maybe_done and not failure.value.permanent
        assert server.requests == [("POST", "projects")] and waits == []

    def test_a_time_out_is_no_answer(self, client, server):
        server.fail("hang", seconds=2)
        with pytest.raises(NoAnswer, match="in time"):
            client.create_project(name="x")
        assert len(server.alive) == 1  # it happened, and that is why the caller must look

    @pytest.mark.parametrize("call", [READ, CREATE], ids=["read", "create"])
    def test_a_rate_limit_is_waited_for_by_every_call(self, client, server, waits, call):
        server.fail("status", 2, status=429, headers={"Retry-After": "7"}, body={"error_code": "RATE_LIMIT_EXCEEDED"})
        call[1](client)
        assert waits == [7, 7] and len(server.requests) == 3

    def test_a_long_wait_is_handed_to_the_caller(self, client, server, waits):
        server.fail("status", status=429, headers={"Retry-After": "120"}, body={"detail": "slow down"})
        with pytest.raises(TooManyRequests) as refusal:
            client.create_project(name="x")
        assert refusal.value.retry_after == 120 and not refusal.value.permanent and not refusal.value.maybe_done
        assert waits == [] and len(server.requests) == 1

    def test_a_silent_rate_limit_means_a_minute(self, client, server):
        server.fail("status", status=429, body={"detail": "slow down"})
        with pytest.raises(TooManyRequests) as refusal:
            client.create_project(name="x")
        assert refusal.value.retry_after == 60

    def test_a_project_limit_is_permanent_and_not_repeated(self, client, server, waits):
        server.limit = 0
        with pytest.raises(LimitReached) as refusal:
            client.create_project(name="x")
        assert refusal.value.permanent and refusal.value.code == "PROJECT_LIMIT_EXCEEDED"
        assert "upgrade" in refusal.value.detail
        assert waits == [] and len(server.requests) == 1

    @pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 422])
    def test_no_other_refusal_is_repeated(self, client, server, waits, status):
        server.fail("status", status=status, body={"detail": "no", "error_code": "NO"})
        with pytest.raises(OutboundError) as refusal:
            list(client.projects())
        assert refusal.value.permanent and not refusal.value.maybe_done
        assert waits == [] and len(server.requests) == 1

    def test_a_fault_that_stays_is_told_after_three_attempts(self, client, server, waits):
        server.fail("status", 5)
        with pytest.raises(ServerFault, match="trouble of its own just now: Please wait") as fault:
            list(client.projects())
        assert (fault.value.status, fault.value.code) == (503, "SERVICE_UNAVAILABLE")
        assert fault.value.technically == "answered 503 SERVICE_UNAVAILABLE"
        assert len(server.requests) == 3

    def test_nothing_was_asked_when_there_is_no_connection(self, waits):
        close_all()
        client = AccountClient("http://127.0.0.1:9/v1", "k" * 20, sleep=waits.append)
        with client, pytest.raises(NotConnected) as failure:
            client.create_project(name="x")
        assert not failure.value.maybe_done and len(waits) == 2  # safe to repeat even for a create

    @pytest.mark.parametrize("url", ["ftp://host/v1", "no-scheme/v1", "http://[::1"])
    def test_an_impossible_address_is_permanent(self, url):
        with pytest.raises((BadRequest, httpx2.InvalidURL)):
            AccountClient(url, "k" * 20).get_project("x")


class TestAnswersThatCannotBeUsed:
    def test_an_answer_too_large_is_cut_off(self, server):
        with AccountClient(server.url, zerodb.MASTER_KEY, maximum_answer=100_000, sleep=lambda _: None) as client:
            server.fail("huge", 3)
            with pytest.raises(BadAnswer, match="more than 100000 bytes"):
                client.get_project("x")

    def test_malformed_json(self, client, server):
        server.fail("garbage")
        with pytest.raises(BadAnswer, match="can't be used") as refusal:
            client.get_project("x")
        assert "not JSON" in refusal.value.technically

    @pytest.mark.parametrize("body", [{}, {"id": None}, {"id": ""}, {"id": {}}, {"id": True}])
    def test_a_project_without_an_id(self, body):
        with pytest.raises(BadAnswer, match="can't be used") as refusal:
            read_project(body)
        assert "no id" in refusal.value.technically

    @pytest.mark.parametrize("body", [{}, {"embeddings": "x"}, {"embeddings": [[]]}, {"embeddings": [["a"]]}])
    def test_embeddings_that_are_none(self, body):
        with pytest.raises(BadAnswer, match="can't be used") as refusal:
            read_embeddings(body)
        assert "no embeddings" in refusal.value.technically

    def test_every_known_shape_is_read(self):
        assert read_project({"project_id": 7, "status": "active"}).status == "ACTIVE"
        assert read_embeddings({"embedding": [0.5], "dimension": 1}).vectors == [[0.5]]
        for name in ("score", "similarity", "similarity_score"):
            assert read_hit({"vector_id": "v", name: 0.5, "text": "t"}).score == 0.5
        for body in ([{"id": 1}], {"projects": [{"id": 1}]}, {"items": [{"id": 1}]}):
            assert entries(body, "projects", "items") == [{"id": 1}]

    @pytest.mark.parametrize(
        ("content", "detail"),
        [
            (b'{"detail": "why", "message": "other"}', "why"),
            (b'{"message": "why"}', "why"),
            (b'{"error": "why"}', "why"),
            (b'{"detail": [{"loc": ["body"], "msg": "why"}]}', '[{"loc":["body"],"msg":"why"}]'),
            (b"<html>", "it did not say why."),
            (b"{}", "it did not say why."),
        ],
    )
    def test_the_reason_is_found_wherever_it_stands(self, content, detail):
        assert judge(Answer(400, {}, content)).detail == detail


class TestCircuit:
    def test_a_host_that_keeps_failing_is_left_alone(self, server):
        breaker = Breaker("stand-in")
        with AccountClient(server.url, zerodb.MASTER_KEY, breaker=breaker, attempts=1) as client:
            server.fail("status", FAILURES + 3)
            for _ in range(FAILURES):
                with pytest.raises(ServerFault):
                    client.get_project("x")
            with pytest.raises(CircuitOpen):
                client.get_project("x")
            assert len(server.requests) == FAILURES

    def test_refusals_are_answers_and_open_nothing(self, client, server):
        for _ in range(FAILURES + 2):
            with pytest.raises(NotFound):
                client.get_project("unknown")
        assert len(server.requests) == FAILURES + 2


class TestKeys:
    SECRET = "zerodb_sk_very_secret_key_1234567890"

    def test_a_refused_key_is_permanent(self, server):
        with AccountClient(server.url, self.SECRET) as client, pytest.raises(KeyRefused) as refusal:
            list(client.projects())
        assert refusal.value.permanent and refusal.value.code == "INVALID_API_KEY"

    @pytest.mark.parametrize("kind", [None, "status", "lost_after", "garbage", "hang"])
    def test_a_key_shows_nowhere(self, server, caplog, kind):
        caplog.set_level(logging.DEBUG)
        timeout = httpx2.Timeout(0.3)
        with AccountClient(server.url, self.SECRET, timeout=timeout, attempts=1) as client:
            if kind:
                server.fail(kind, seconds=1)
            with pytest.raises(OutboundError) as failure:
                client.create_project(name="x")
            shown = "".join(traceback.format_exception(failure.value)) + repr(client) + repr(failure.value)
        assert self.SECRET not in shown
        assert self.SECRET not in caplog.text

    def test_a_projects_key_shows_nowhere(self, client):
        project = client.create_project(name="x")
        assert project.api_key and project.api_key not in repr(project)
