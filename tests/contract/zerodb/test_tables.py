"""Section 8 of the contract: tables and their rows."""

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")

SCHEMA = {
    "fields": {
        "name": {"type": "string", "required": True},
        "age": "integer",
        "balance": "number",
        "active": {"type": "boolean", "default": True},
        "seen_at": "timestamp",
        "extra": "object",
        "tags": "array",
    },
    "indexes": ["name"],
}


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def make(store, name: str = "people", schema: dict | None = None, path: str = "tables", **fields) -> dict:
    answer = store.post(path, json={"table_name": name, "schema": schema or SCHEMA, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def people(store):
    """A table with four people; the first was added first."""
    make(store)
    rows = [
        {"name": "Ada", "age": 36, "balance": 10.5, "tags": ["x"]},
        {"name": "Bob", "age": 20, "balance": 0, "active": False},
        {"name": "Cem", "age": 52, "email": "cem@example.org"},
        {"name": "Dora"},
    ]
    for row in rows:
        assert store.post("tables/people/rows", json={"row_data": row}).status_code == 201
    return "tables/people"


def names(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["row_data"]["name"] for row in answer.json()["rows"]]


class TestTables:
    @pytest.mark.parametrize("path", ["tables", "database/tables"])
    def test_create_list_show_by_id_and_by_name(self, store, project, path):
        table = make(store, path=path, description="Who is who")
        assert table["id"].startswith("tbl_") and table["table_id"] == table["id"]
        assert (table["table_name"], table["project_id"], table["row_count"]) == ("people", project["id"], 0)
        assert table["description"] == "Who is who" and table["created_at"].endswith("Z")
        assert table["schema"]["fields"]["name"] == {"type": "string", "required": True, "default": None}
        assert table["schema"]["fields"]["age"] == "integer" and table["schema"]["indexes"] == ["name"]
        for key in (table["id"], "people"):
            assert store.get(f"{path}/{key}").json() == table
        listed = store.get(path).json()
        assert listed["tables"] == [table] and listed["total"] == 1

    def test_tables_of_every_path_form_are_the_same(self, alice, project):
        make(alice.http, path=f"projects/{project['id']}/database/tables")
        for path, headers in [
            (f"{project['id']}/tables", {}),
            (f"{project['id']}/database/tables", {}),
            ("database/tables", {"X-Project-ID": project["id"]}),
        ]:
            assert alice.http.get(path, headers=headers).json()["total"] == 1, path

    def test_rows_are_counted(self, store, people):
        assert store.get(people).json()["row_count"] == 4
        assert store.get("tables").json()["tables"][0]["row_count"] == 4

    def test_a_project_tells_how_many_tables_and_events_it_has(self, alice, store, project, people):
        store.post("database/events", json={"event_type": "e", "data": {}})
        usage = alice.http.get(f"projects/{project['id']}").json()["usage"]
        assert usage["tables_created"] == 1 and usage["events_logged"] == 1

    def test_a_name_is_there_once(self, store):
        make(store)
        answer = store.post("database/tables", json={"table_name": "people", "schema": SCHEMA})
        assert "people" in refused(answer, 409, "TABLE_ALREADY_EXISTS")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"table_name": "t"},
            {"schema": SCHEMA},
            {"table_name": "", "schema": SCHEMA},
            {"table_name": "Upper", "schema": SCHEMA},
            {"table_name": "1st", "schema": SCHEMA},
            {"table_name": "with space", "schema": SCHEMA},
            {"table_name": "t" * 101, "schema": SCHEMA},
            {"table_name": "t", "schema": "none"},
            {"table_name": "t", "schema": {"fields": {}}},
            {"table_name": "t", "schema": SCHEMA, "description": "d" * 501},
        ],
    )
    def test_bad_fields(self, store, body):
        refused(store.post("tables", json=body), 422)

    @pytest.mark.parametrize(
        "schema",
        [
            {"fields": {"a": "date of birth"}},
            {"fields": {"a": {"required": True}}},
            {"fields": {"a": {"type": "string", "required": "yes"}}},
            {"fields": {"a": {"type": "string", "default": 5}}},
            {"fields": {"a": "string"}, "indexes": ["b"]},
            {"fields": {"a": "string"}, "indexes": [{"name": "i"}]},
        ],
    )
    def test_a_schema_that_makes_no_sense_is_400(self, store, schema):
        refused(store.post("tables", json={"table_name": "t", "schema": schema}), 400, "INVALID_SCHEMA")

    def test_delete_takes_the_rows_with_it(self, store, people):
        answer = store.delete(people).json()
        assert answer["deleted"] is True and answer["table_name"] == "people" and answer["rows_deleted"] == 4
        refused(store.get(people), 404, "TABLE_NOT_FOUND")
        refused(store.delete(people), 404, "TABLE_NOT_FOUND")
        make(store)
        assert store.get(f"{people}/rows").json()["total"] == 0

    def test_the_documented_path_wants_a_confirmation(self, store, people):
        refused(store.delete(f"database/{people}"), 400, "CONFIRMATION_REQUIRED")
        refused(store.delete(f"database/{people}", params={"confirm": "false"}), 400, "CONFIRMATION_REQUIRED")
        assert store.delete(f"database/{people}", params={"confirm": "true"}).status_code == 200
        make(store)
        assert store.request("DELETE", f"database/{people}", json={"confirm": True}).status_code == 200

    def test_without_the_prefix_only_created_projects_have_tables(self, alice):
        for path in ("tables", "tables/t", "tables/t/rows"):
            assert "proj_x" in refused(alice.http.get(f"proj_x/{path}"), 404, "PROJECT_NOT_FOUND")
        body = {"table_name": "t", "schema": SCHEMA}
        refused(alice.http.post("proj_x/tables", json=body), 404, "PROJECT_NOT_FOUND")
        assert alice.http.post("proj_x/database/tables", json=body).status_code == 201

    def test_a_suspended_project_is_read_and_not_written(self, alice, store, project, people):
        alice.http.patch(f"projects/{project['id']}/status", json={"status": "SUSPENDED"})
        assert store.get(f"{people}/rows").json()["total"] == 4
        assert store.post(f"{people}/query", json={}).json()["total"] == 4
        for method, path, body in [
            ("POST", "tables", {"table_name": "t", "schema": SCHEMA}),
            ("POST", f"{people}/rows", {"row_data": {"name": "E"}}),
            ("PATCH", f"{people}/rows", {"filter": {}, "update": {"age": 1}}),
            ("DELETE", f"{people}/rows", {"filter": {}}),
            ("DELETE", people, None),
        ]:
            refused(store.request(method, path, json=body), 403, "PROJECT_SUSPENDED")


class TestInsert:
    def test_one_row_or_many(self, store):
        make(store)
        one = store.post("tables/people/rows", json={"row_data": {"name": "Ada"}})
        assert one.status_code == 201
        (row,) = one.json()["rows"]
        assert row["row_id"].startswith("row_") and row["row_data"] == {"name": "Ada", "active": True}
        assert row["created_at"].endswith("Z") and one.json()["inserted_count"] == 1
        many = store.post("tables/people/rows", json={"row_data": [{"name": "B"}, {"name": "C", "active": False}]})
        assert many.json()["inserted_count"] == 2
        assert [row["row_data"]["active"] for row in many.json()["rows"]] == [True, False]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "MISSING_ROW_DATA"),
            ({"data": {"name": "x"}}, "MISSING_ROW_DATA"),
            ({"rows": [{"name": "x"}]}, "MISSING_ROW_DATA"),
            ({"items": [{"name": "x"}]}, "INVALID_FIELD_NAME"),
            ({"records": [{"name": "x"}]}, "INVALID_FIELD_NAME"),
        ],
    )
    def test_any_other_name_than_row_data_is_refused_with_the_right_one(self, store, body, code):
        make(store)
        answer = store.post("tables/people/rows", json=body)
        assert "row_data" in refused(answer, 422, code)
        assert answer.json()["expected_field"] == "row_data"
        assert answer.json()["received_field"] == next(iter(body), None)

    @pytest.mark.parametrize("rows", ["text", 5, [1], [{"name": "x"}, "y"], [{"name": "x"}] * 1001])
    def test_rows_are_objects_and_at_most_a_thousand(self, store, rows):
        make(store)
        refused(store.post("tables/people/rows", json={"row_data": rows}), 422)

    def test_no_rows_are_as_many_as_were_given(self, store):
        make(store)
        answer = store.post("tables/people/rows", json={"row_data": []})
        assert answer.status_code == 201 and (answer.json()["rows"], answer.json()["inserted_count"]) == ([], 0)

    @pytest.mark.parametrize(
        ("row", "field", "actual"),
        [
            ({}, "name", "missing"),
            ({"name": None}, "name", "missing"),
            ({"name": 5}, "name", "integer"),
            ({"name": "x", "age": 1.5}, "age", "float"),
            ({"name": "x", "age": True}, "age", "boolean"),
            ({"name": "x", "balance": "1"}, "balance", "string"),
            ({"name": "x", "active": "yes"}, "active", "string"),
            ({"name": "x", "seen_at": "soon"}, "seen_at", "string"),
            ({"name": "x", "extra": []}, "extra", "array"),
            ({"name": "x", "tags": {}}, "tags", "object"),
        ],
    )
    def test_a_row_that_does_not_fit_the_schema_is_refused_with_all_others(self, store, row, field, actual):
        make(store)
        answer = store.post("tables/people/rows", json={"row_data": [{"name": "fits"}, row]})
        assert field in refused(answer, 422, "SCHEMA_VALIDATION_ERROR")
        (fault,) = answer.json()["validation_errors"]
        assert (fault["field"], fault["actual_type"], fault["row_index"]) == (field, actual, 1)
        assert fault["loc"] == ["body", "row_data", 1, field]
        assert store.get("tables/people/rows").json()["total"] == 0

    def test_fields_that_the_schema_does_not_name_are_kept(self, store):
        make(store)
        row = {"name": "x", "seen_at": "2026-01-31T12:00:00Z", "balance": 3, "more": {"a": [1, None]}, "none": None}
        made = store.post("tables/people/rows", json={"row_data": row}).json()["rows"][0]
        assert made["row_data"] == {**row, "active": True}

    def test_a_unique_index_holds(self, store):
        fields = {"email": "string", "house": "string"}
        make(store, "mails", {"fields": fields, "indexes": [{"name": "e", "columns": ["email"], "unique": True}]})
        rows = [{"email": "a@x"}, {"email": "b@x"}, {}, {}]
        assert store.post("tables/mails/rows", json={"row_data": rows}).status_code == 201
        refused(store.post("tables/mails/rows", json={"row_data": {"email": "a@x"}}), 409, "CONFLICT")
        change = {"filter": {"email": "b@x"}, "update": {"email": "a@x"}}
        refused(store.patch("tables/mails/rows", json=change), 409, "CONFLICT")
        assert store.get("tables/mails/rows").json()["total"] == 4

    def test_no_such_table(self, store):
        refused(store.post("tables/none/rows", json={"row_data": {}}), 404, "TABLE_NOT_FOUND")


class TestList:
    def test_newest_first_with_pages(self, store, people):
        answer = store.get(f"{people}/rows", params={"limit": 3}).json()
        assert [row["row_data"]["name"] for row in answer["rows"]] == ["Dora", "Cem", "Bob"]
        assert (answer["total"], answer["limit"], answer["offset"], answer["has_more"]) == (4, 3, 0, True)
        rest = store.get(f"{people}/rows", params={"limit": 3, "offset": 3}).json()
        assert [row["row_data"]["name"] for row in rest["rows"]] == ["Ada"] and rest["has_more"] is False
        assert rest["rows"][0].keys() == {"row_id", "table_id", "row_data", "created_at", "updated_at"}

    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({"name": "Ada"}, ["Ada"]),
            ({"age": "20"}, ["Bob"]),
            ({"active": "false"}, ["Bob"]),
            ({"balance": "10.5"}, ["Ada"]),
            ({"name": "Ada", "age": "20"}, []),
            ({"filter": '{"age": {"$gt": 30}}', "sort_by": "age"}, ["Ada", "Cem"]),
            ({"sort_by": "age"}, ["Dora", "Bob", "Ada", "Cem"]),
            ({"sort_by": "age", "order": "desc"}, ["Cem", "Ada", "Bob", "Dora"]),
            ({"sort_by": "created_at"}, ["Ada", "Bob", "Cem", "Dora"]),
            ({"sort_by": "name'; DROP TABLE x --"}, ["Ada", "Bob", "Cem", "Dora"]),
        ],
    )
    def test_filters_and_sorting(self, store, people, params, found):
        assert names(store.get(f"{people}/rows", params=params)) == found

    @pytest.mark.parametrize(
        "params", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"order": "up"}, {"filter": "{no json"}]
    )
    def test_bad_parameters(self, store, people, params):
        refused(store.get(f"{people}/rows", params=params), 422)

    def test_one_row_by_its_id(self, store, project, people):
        (row,) = store.get(f"{people}/rows", params={"name": "Ada"}).json()["rows"]
        found = store.get(f"{people}/rows/{row['row_id']}").json()
        assert found == row | {"project_id": project["id"]}
        gone = store.delete(f"{people}/rows/{row['row_id']}").json()
        assert gone["deleted"] is True and gone["row_id"] == row["row_id"] and gone["deleted_at"].endswith("Z")
        for answer in (store.get(f"{people}/rows/{row['row_id']}"), store.delete(f"{people}/rows/{row['row_id']}")):
            assert row["row_id"] in refused(answer, 404, "ROW_NOT_FOUND")

    def test_a_row_of_another_table_is_not_found(self, store, people):
        make(store, "others")
        (row,) = store.get(f"{people}/rows", params={"name": "Ada"}).json()["rows"]
        refused(store.get(f"tables/others/rows/{row['row_id']}"), 404, "ROW_NOT_FOUND")

    def test_a_row_is_replaced_or_merged(self, store, people):
        (row,) = store.get(f"{people}/rows", params={"name": "Ada"}).json()["rows"]
        path = f"{people}/rows/{row['row_id']}"
        merged = store.patch(path, json={"row_data": {"age": 37}}).json()
        assert merged["row_data"] == row["row_data"] | {"age": 37} and merged["updated_at"] > row["created_at"]
        replaced = store.put(path, json={"row_data": {"name": "Ada L."}}).json()
        assert replaced["row_data"] == {"name": "Ada L.", "active": True}
        refused(store.put(path, json={"row_data": {"name": 5}}), 422, "SCHEMA_VALIDATION_ERROR")


class TestQuery:
    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({}, ["Dora", "Cem", "Bob", "Ada"]),
            ({"filter": {"age": {"$gte": 20, "$lt": 50}}, "sort": {"age": 1}}, ["Bob", "Ada"]),
            ({"filter": {"row_data.name": "Cem"}}, ["Cem"]),
            ({"filter": {"name": {"$in": ["Ada", "Bob"]}}, "sort": {"name": -1}}, ["Bob", "Ada"]),
            ({"filter": {"email": {"$exists": True}}}, ["Cem"]),
            ({"filter": {"name": {"$regex": "^[AB]"}}, "sort": {"name": 1}}, ["Ada", "Bob"]),
            ({"filter": {"tags": {"$contains": "x"}}}, ["Ada"]),
            ({"filters": {"active": True}, "sort_by": "name", "order": "desc"}, ["Dora", "Cem", "Ada"]),
            ({"sort": {"active": 1, "name": -1}}, ["Bob", "Dora", "Cem", "Ada"]),
            ({"sort": {"name": 1}, "limit": 2, "offset": 1}, ["Bob", "Cem"]),
        ],
    )
    def test_filters_sorting_and_pages(self, store, people, body, found):
        assert names(store.post(f"{people}/query", json=body)) == found

    def test_rows_come_with_their_fields_beside_the_id(self, store, people):
        answer = store.post(f"{people}/query", json={"filter": {"name": "Ada"}}).json()
        (row,) = answer["rows"]
        assert row["_id"] == row["row_id"] and row["name"] == "Ada" and row["age"] == 36
        (same,) = store.post(f"{people}/query", json={"filter": {"row_id": row["_id"]}}).json()["rows"]
        assert same == row

    def test_a_limit_of_nought_only_counts(self, store, people):
        answer = store.post(f"{people}/query", json={"limit": 0, "filter": {"active": True}}).json()
        assert (answer["rows"], answer["total"]) == ([], 3)

    def test_projection_takes_in_or_leaves_out(self, store, people):
        body = {"filter": {"name": "Ada"}, "projection": {"name": 1, "_id": 0}}
        (row,) = store.post(f"{people}/query", json=body).json()["rows"]
        assert row["name"] == "Ada" and "age" not in row and "_id" not in row and row["row_data"] == {"name": "Ada"}
        (row,) = store.post(f"{people}/query", json={**body, "projection": {"age": 0}}).json()["rows"]
        assert "age" not in row and row["name"] == "Ada" and row["balance"] == 10.5

    @pytest.mark.parametrize(
        ("filters", "words"),
        [
            ({"age": {"gt": 1}}, "must start with '$'"),
            ({"age": {"$near": 1}}, "Unsupported operator"),
            ({"age": {"$in": 1}}, "requires a list value"),
            ({"age": {"$gt": "1"}}, "requires a numeric value"),
            ({"$or": []}, "Top-level operator"),
            ({"name": {"$regex": "("}}, "regular expression"),
            ({"name": {"$regex": "(?P<n>a)"}}, "regular expression"),
            ({"name": {"$regex": 1}}, "requires a string value"),
        ],
    )
    def test_a_filter_that_cannot_be_understood(self, store, people, filters, words):
        for method, path in (("POST", "query"), ("DELETE", "rows")):
            answer = store.request(method, f"{people}/{path}", json={"filter": filters})
            assert words in refused(answer, 422, "INVALID_METADATA_FILTER")


class TestChange:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_all_rows_that_match(self, store, people, method):
        body = {"filter": {"active": True}, "update": {"$set": {"age": 1}, "$unset": {"balance": 1}}}
        answer = store.request(method, f"{people}/rows", json=body).json()
        assert (answer["matched_count"], answer["modified_count"]) == (3, 3)
        again = store.request(method, f"{people}/rows", json=body).json()
        assert (again["matched_count"], again["modified_count"]) == (3, 0)
        (ada,) = store.get(f"{people}/rows", params={"name": "Ada"}).json()["rows"]
        assert ada["row_data"]["age"] == 1 and "balance" not in ada["row_data"]
        assert names(store.get(f"{people}/rows", params={"age": "20"})) == ["Bob"]

    @pytest.mark.parametrize(
        ("update", "field", "after"),
        [
            ({"$inc": {"age": 2}}, "age", 38),
            ({"$inc": {"visits": 1}}, "visits", 1),
            ({"$push": {"tags": "y"}}, "tags", ["x", "y"]),
            ({"$pull": {"tags": "x"}}, "tags", []),
            ({"age": 40}, "age", 40),
        ],
    )
    def test_each_operator(self, store, people, update, field, after):
        store.patch(f"{people}/rows", json={"filter": {"name": "Ada"}, "update": update})
        (ada,) = store.get(f"{people}/rows", params={"name": "Ada"}).json()["rows"]
        assert ada["row_data"][field] == after

    def test_numbers_are_added_up_to_the_largest(self, store):
        make(store, "sums", {"fields": {"code": "number"}, "indexes": [{"columns": ["code"], "unique": True}]})
        assert store.post("tables/sums/rows", json={"row_data": {"code": 1e308, "whole": 1e20}}).status_code == 201
        for operand in (1e308, 0.5):
            body = {"filter": {}, "update": {"$inc": {"code": operand, "whole": 1}}}
            answer = store.patch("tables/sums/rows", json=body)
            if operand == 0.5:
                assert answer.status_code == 200, answer.text
            else:
                refused(answer, 422)
        (row,) = store.get("tables/sums/rows").json()["rows"]
        assert row["row_data"] == {"code": 1e308, "whole": 1e20}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"filter": {}}, "VALIDATION_ERROR"),
            ({"update": {"age": 1}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {"$rename": {"a": "b"}}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {"$inc": {"name": 1}}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {"$inc": {"age": "1"}}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {"$push": {"name": 1}}}, "VALIDATION_ERROR"),
            ({"filter": {}, "update": {"$set": {"age": "old"}}}, "SCHEMA_VALIDATION_ERROR"),
        ],
    )
    def test_a_change_that_cannot_be_made_changes_nothing(self, store, people, body, code):
        before = store.get(f"{people}/rows").json()
        refused(store.patch(f"{people}/rows", json=body), 422, code)
        assert store.get(f"{people}/rows").json() == before

    def test_upsert_begins_with_the_fields_asked_for(self, store, people):
        body = {"filter": {"name": "Eve"}, "update": {"$set": {"age": 5}}}
        assert store.patch(f"{people}/rows", json=body).json()["matched_count"] == 0
        answer = store.patch(f"{people}/rows", json={**body, "upsert": True}).json()
        assert answer["upserted_count"] == 1 and answer["upserted_id"].startswith("row_")
        (eve,) = store.get(f"{people}/rows", params={"name": "Eve"}).json()["rows"]
        assert eve["row_data"] == {"name": "Eve", "age": 5, "active": True}

    def test_delete_what_matches_up_to_a_limit(self, store, people):
        def delete(**body):
            return store.request("DELETE", f"{people}/rows", json=body)

        assert delete(filter={"active": True}, limit=1).json() == {"deleted_count": 1}
        assert names(store.get(f"{people}/rows")) == ["Dora", "Cem", "Bob"]
        assert delete(filter={"age": {"$gte": 0}}).json() == {"deleted_count": 2}
        refused(delete(), 422)
        assert delete(filter={}).json() == {"deleted_count": 1}
