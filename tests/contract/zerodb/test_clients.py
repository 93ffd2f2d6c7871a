"""The official clients, unchanged, against the embedded server. Their own faults are worked round here."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zerodb_mcp
from ainative import AINativeClient
from ainative.exceptions import APIError, AuthenticationError
from ainative.zerodb.memory import MemoryPriority
from ainative.zerodb.projects import ProjectStatus
from langchain_zerodb import ZeroDBVectorStore
from zerodb_mcp import ZeroDBClient
from zerodb_mcp.exceptions import ValidationError, ZeroDBError

from apps.integrations.zerodb.server.remote.beyond import NOT_SERVED
from apps.integrations.zerodb.server.remote.operations import OPERATIONS
from tests.event_loops import synchronously

pytestmark = pytest.mark.covers("P-11")


class TestAinativePython:
    @pytest.fixture
    def client(self, alice, zerodb_server):
        # It joins addresses so that a base without the slash at its end loses its last part.
        with AINativeClient(api_key=alice.key, base_url=f"{zerodb_server}/api/v1/") as client:
            yield client

    def test_health_and_a_wrong_key(self, client, zerodb_server):
        assert client.health_check()["status"] == "healthy"
        with (
            AINativeClient(api_key="zerodb_sk_unknown", base_url=f"{zerodb_server}/api/v1/") as stranger,
            pytest.raises(AuthenticationError),
        ):
            stranger.zerodb.projects.list()

    def test_signed_requests_of_an_organisation_are_taken(self, alice, zerodb_server):
        base = f"{zerodb_server}/api/v1/"
        with AINativeClient(api_key=alice.key, api_secret="s", base_url=base, organization_id="o") as client:
            assert client.zerodb.projects.list(organization_id="o")["total"] == 0

    def test_projects(self, client):
        projects = client.zerodb.projects
        made = projects.create("From the SDK", metadata={"a": 1}, config={"b": 2})
        assert projects.get(made["id"])["metadata"] == {"a": 1}
        assert projects.update(made["id"], name="Renamed")["name"] == "Renamed"
        listed = projects.list(limit=5, status=ProjectStatus.ACTIVE)
        assert [project["name"] for project in listed["projects"]] == ["Renamed"]
        assert projects.suspend(made["id"], "unpaid")["status"] == "SUSPENDED"
        assert projects.activate(made["id"])["status"] == "ACTIVE"
        assert projects.get_statistics(made["id"])["vectors_stored"] == 0
        assert projects.get_collections(made["id"]) == []
        assert projects.delete(made["id"])["deleted"] is True
        with pytest.raises(APIError):
            projects.get(made["id"])

    def test_vectors(self, client, project, make_vector):
        vectors, here = client.zerodb.vectors, project["id"]
        stored = vectors.upsert(here, [make_vector(1), make_vector(2)], metadata=[{"n": 1}, {"n": 2}], ids=["a", "b"])
        assert stored["upserted_count"] == 2 and stored["ids"] == ["a", "b"]
        hits = vectors.search(here, make_vector(1), top_k=2, filter={"n": {"$gte": 1}}, include_values=True)
        assert [hit["id"] for hit in hits] == ["a", "b"] and hits[0]["score"] > 0.99 and len(hits[0]["values"]) == 384
        assert {vector["id"] for vector in vectors.get(here, ["a", "b"])} == {"a", "b"}
        assert vectors.update_metadata(here, "a", {"n": 9})["metadata"] == {"n": 9}
        assert vectors.describe_index_stats(here)["total_vectors"] == 2
        assert vectors.delete(here, ids=["a"])["deleted_count"] == 1
        assert vectors.delete(here, filter={"n": 5})["deleted_count"] == 0
        assert vectors.delete(here, delete_all=True)["deleted_count"] == 1

    def test_memory(self, client, project):
        memory, here = client.zerodb.memory, project["id"]
        made = memory.create(here, "Prefers e-mail", tags=["t"], priority=MemoryPriority.HIGH, user_id="u")
        assert memory.get(here, made["id"])["content"] == "Prefers e-mail"
        assert memory.list(here, tags=["t"], priority=MemoryPriority.HIGH, user_id="u", search="mail")["total"] == 1
        assert memory.update(here, made["id"], content="Prefers letters")["content"] == "Prefers letters"
        assert memory.bulk_create(here, [{"content": "Writes letters"}])["created"] == 1
        assert len(memory.search(here, "letters", limit=5)) == 2
        assert [found["content"] for found in memory.get_related(here, made["id"])] == ["Writes letters"]
        assert memory.delete(here, made["id"])["deleted"] is True

    def test_tables(self, client, project):
        tables, here = client.zerodb.tables, project["id"]
        schema = {"fields": {"email": "string", "age": "number"}, "indexes": ["email"]}
        made = tables.create_table(here, "users", schema, description="People")
        assert made["table_id"] and tables.list_tables(here)["total"] == 1
        assert tables.table_exists(here, "users") and not tables.table_exists(here, "others")
        with pytest.raises(APIError) as refusal:  # it sends ``rows``, which the contract refuses
            tables.insert_rows(here, "users", [{"email": "a@x"}])
        assert "row_data" in refusal.value.response_body
        rows = [{"email": "a@x", "age": 30}, {"email": "b@x", "age": 40}]
        path = f"projects/{here}/database/tables/users/rows"
        assert client.post(path, data={"row_data": rows})["inserted_count"] == 2
        found = tables.query_rows(here, "users", filter={"age": {"$gte": 30}}, sort={"age": -1}, limit=1)
        assert [row["email"] for row in found["rows"]] == ["b@x"] and found["total"] == 2
        assert tables.count_rows(here, "users", {"age": 30}) == 1
        assert tables.update_rows(here, "users", {"email": "a@x"}, {"$inc": {"age": 1}})["modified_count"] == 1
        assert tables.delete_rows(here, "users", {"age": {"$lt": 35}})["deleted_count"] == 1
        gone = tables.delete_table(here, "users", confirm=True)
        assert gone["rows_deleted"] == 1

    def test_what_the_contract_lists_of_analytics(self, client, project, make_vector):
        analytics, here = client.zerodb.analytics, project["id"]
        client.zerodb.vectors.upsert(here, [make_vector(1)], ids=["a"])
        since, until = datetime.now(UTC) - timedelta(days=7), datetime.now(UTC) + timedelta(minutes=1)
        assert analytics.get_usage(here, since, until, "daily")["totals"]["vectors"] == 1
        assert set(analytics.get_performance_metrics(here, "latency")["metrics"]) == {"search_ms", "count_ms"}
        assert analytics.get_storage_stats(here)["total_bytes"] > 0
        assert analytics.get_query_insights(here)["queries"] == []
        assert analytics.get_cost_analysis(here, since, until)["total_cost"] == 0
        assert sum(day["value"] for day in analytics.get_trends(here, "vectors")) == 1
        assert sum(day["value"] for day in analytics.get_trends(here, "storage", 7)) == 4 * 384
        assert analytics.get_trends(here, "queries") == analytics.get_trends(here, "errors") == []
        assert isinstance(analytics.get_anomalies(here, "high"), list)
        assert analytics.export_report(here, "summary", "json", since, until)["data"]["usage"]["vectors_stored"] == 1
        assert "vectors" in analytics.export_report(here, format="csv")["content"]


class TestLangchainZerodb:
    def test_texts_are_stored_and_found(self, project, zerodb_server):
        store = ZeroDBVectorStore(api_key=project["api_key"], project_id=project["id"], base_url=zerodb_server)
        ids = store.add_texts(["How do refunds work?", "Snow on the hills"], metadatas=[{"n": 1}, {"n": 2}])
        assert len(set(ids)) == 2
        ((document, score),) = store.similarity_search_with_score("How do refunds work?", k=1)
        assert document.page_content == "How do refunds work?" and document.metadata == {"n": 1} and score > 0.99
        assert [found.page_content for found in store.similarity_search("refund", k=1)] == ["How do refunds work?"]

    def test_a_store_made_from_texts_has_its_own_namespace(self, project, zerodb_server):
        options = {"api_key": project["api_key"], "project_id": project["id"], "base_url": zerodb_server}
        store = ZeroDBVectorStore.from_texts(["A sentence"], namespace="mine", **options)
        assert len(store.similarity_search("A sentence")) == 1
        assert ZeroDBVectorStore(**options).similarity_search("A sentence") == []


class TestZerodbMcp:
    @pytest.fixture
    def run(self, alice, zerodb_server):
        """Do something with the client, which is asynchronous."""

        def act(work):
            async def whole():
                async with ZeroDBClient(api_key=alice.key, base_url=zerodb_server, retry_delay=0) as client:
                    return await work(client)

            return synchronously(whole)()

        return act

    def test_health_and_operations(self, run):
        async def work(client):
            return await client.health_check(), await client.get_operations()

        health, operations = run(work)
        assert health["status"] == "healthy" and operations["total"] > 30

    def test_projects(self, run):
        async def work(client):
            made = await client.projects.create("By MCP", tier="pro", settings={"a": 1})
            assert (await client.projects.get(made["project_id"]))["settings"] == {"a": 1}
            assert (await client.projects.list(tier="pro"))["total"] == 1
            await client.projects.update(made["project_id"], description="Changed")
            assert (await client.projects.get_stats(made["project_id"]))["vectors_stored"] == 0
            await client.projects.delete(made["project_id"], confirm=True)
            with pytest.raises(ZeroDBError, match="not found"):  # it wraps its own ResourceNotFoundError
                await client.execute("get_project", {"project_id": made["project_id"]}, retry=False)

        run(work)

    def test_vectors_and_embeddings(self, run, project, make_vector):
        async def work(client):
            here = project["id"]
            made = await client.vectors.upsert(here, make_vector(1), "one")
            await client.vectors.batch_upsert(here, [{"embedding": make_vector(2), "document": "two"}])
            hits = (await client.vectors.search(here, make_vector(1), threshold=0.9))["results"]
            assert [hit["document"] for hit in hits] == ["one"]
            assert (await client.vectors.list(here, namespace="default"))["total"] == 2
            assert (await client.vectors.stats(here))["count"] == 2
            assert (await client.vectors.get(here, made["vector_id"]))["document"] == "one"
            assert (await client.vectors.delete(here, made["vector_id"]))["deleted"] is True
            assert (await client.embeddings.generate(["a", "b"]))["dimensions"] == 384
            stored = await client.embeddings.embed_and_store(here, ["Refunds"], [{"k": 1}], namespace="texts")
            assert stored["vectors_stored"] == 1
            found = await client.embeddings.semantic_search(here, "Refunds", namespace="texts")
            assert found["results"][0]["metadata"] == {"k": 1}
            assert len((await client.embeddings.list_models())["models"]) >= 4
            assert (await client.embeddings.health_check())["embedding_service"]["status"] == "running"
            assert (await client.vectors.create_index(here))["index_type"] == "hnsw"
            with pytest.raises(ValidationError):
                await client.execute("no_such_operation", {})

        run(work)

    def test_tables_and_events(self, run, project):
        async def work(client):
            here = project["id"]
            await client.tables.create(here, "users", {"name": "string", "age": "integer"}, indexes=["name"])
            assert (await client.tables.insert_rows(here, "users", [{"name": "A", "age": 1}]))["inserted_count"] == 1
            assert (await client.tables.query_rows(here, "users", {"age": 1}, sort_by="name"))["total"] == 1
            assert (await client.tables.update_rows(here, "users", {"age": 1}, {"age": 2}))["modified_count"] == 1
            assert (await client.tables.delete_rows(here, "users", {"age": 2}))["deleted_count"] == 1
            assert (await client.tables.get(here, "users"))["row_count"] == 0
            assert (await client.tables.list(here))["total"] == 1
            assert (await client.tables.delete(here, "users"))["deleted"] is True
            event = await client.events.create(here, "login", {"user": 1})
            assert (await client.events.get(here, event["event_id"]))["source"] == "sdk"
            assert (await client.events.list(here, event_type="login"))["total"] == 1
            assert (await client.events.stats(here))["total"] == 1

        run(work)

    def test_rated_interactions(self, run, project):
        async def work(client):
            here = project["id"]
            said = await client.rlhf.collect_interaction("s", here, "query", "How?", "So.", {"account_id": 7})
            assert said["interaction_id"] and said["prompt"] == "How?"
            assert (await client.rlhf.get_summary(here))["total_interactions"] == 1
            later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            assert (await client.rlhf.get_summary(here, start_date=later))["total_interactions"] == 0
            assert (await client.rlhf.get_summary(here, end_date=later))["total_interactions"] == 1

        run(work)

    def test_each_of_its_operations_is_done_or_refused_for_a_reason(self):
        sources = Path(zerodb_mcp.__file__).parent.glob("operations/*.py")
        known = {name for source in sources for name in re.findall(r'execute\(\s*"(\w+)"', source.read_text())}
        assert len(known) > 55 and known & set(OPERATIONS) == known - set(NOT_SERVED)
        assert set(NOT_SERVED) <= known

    def test_what_is_beyond_the_contract_is_refused_at_once_with_what_to_do_instead(self, run, project):
        async def work(client):
            here = project["id"]
            for call, words in (
                (client.vectors.optimize_storage(here), "by itself"),
                (client.vectors.export(here), "list_vectors"),
                (client.embeddings.get_usage(), "get_project_stats"),
                (client.projects.enable_database(here), "from the beginning"),
                (client.events.subscribe(here), "list_events"),
                (client.rlhf.get_status(here), "rlhf_get_summary"),
            ):
                with pytest.raises(ValidationError) as refusal:
                    await call
                answer = refusal.value.response_data
                assert answer["error_code"] == "VALIDATION_ERROR" and words in answer["detail"]
                assert answer["validation_errors"][0]["loc"] == ["body", "operation"]

        run(work)
