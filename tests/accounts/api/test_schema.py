"""The OpenAPI description is valid, complete and without warnings."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.isolation.urlconf import every_route

pytestmark = [pytest.mark.covers("A-10")]

# Not resources: the description, its page, and the 404 for everything else.
UNDESCRIBED = {"/api/v1/schema", "/api/v1/docs/", "/api/v1/docs", "/api/v1/"}


def schema(client: Client) -> dict[str, object]:
    return orjson.loads(client.get("/api/v1/schema").content)  # type: ignore[no-any-return]


def test_it_is_made_without_a_warning_and_valid(tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert file.read_text().count("operationId") > 20


@pytest.mark.django_db
def test_it_is_openapi_3_1(client: Client) -> None:
    content = schema(client)
    assert str(content["openapi"]).startswith("3.1")
    OpenAPIV31SpecValidator(content).validate()  # type: ignore[arg-type]


@pytest.mark.django_db
def test_every_resource_is_described_with_its_errors(client: Client) -> None:
    paths = schema(client)["paths"]
    routes = {route.shape.replace("<", "{").replace(">", "}") for route in every_route()}
    resources = {shape for shape in routes if shape.startswith("/api/v1/")} - UNDESCRIBED
    assert set(paths) == resources  # type: ignore[call-overload]
    for path, methods in paths.items():  # type: ignore[attr-defined]
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert "application/problem+json" in operation["responses"]["default"]["content"], where
            assert operation["security"] == [{"apiKey": []}, {"session": []}], where
            if method == "post":
                assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, where


@pytest.mark.django_db
def test_anybody_reads_it_and_it_is_not_sent_twice(client: Client) -> None:
    answer = client.get("/api/v1/schema")
    assert answer.status_code == 200
    again = client.get("/api/v1/schema", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
