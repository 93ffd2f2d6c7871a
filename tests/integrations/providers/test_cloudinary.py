"""Cloudinary."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers import provider
from apps.integrations.providers.cloudinary.signing import signature
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import CredentialRefused, Missing, RateLimited, Refused
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "abcdEFGH-ijkl_secret"


def is_signed(params: dict[str, str], algorithm: str = "sha1") -> bool:
    """As Cloudinary checks it: everything but the key, the file and the signature itself."""
    signed = sorted((name, value) for name, value in params.items() if name not in {"api_key", "signature", "file"})
    text = "&".join(f"{name}={value}" for name, value in signed) + SECRET
    return params["signature"] == hashlib.new(algorithm, text.encode()).hexdigest()


class TestCloudinary(Conformance):
    name = "cloudinary"
    credentials = {"api_key": "123456789012345", "api_secret": SECRET}
    settings = {"cloud_name": "demo"}
    asks = ("GET", "/demo/ping")
    identity = "demo"

    @pytest.fixture(autouse=True)
    def _at_noon(self) -> Any:
        with time_machine.travel(NOW, tick=True):
            yield

    def test_its_definition_is_sane(self) -> None:
        assert self.definition.faults() == []
        assert self.definition.clean_credentials(self.credentials) == dict(self.credentials)
        assert self.definition.clean_settings(self.settings)["cloud_name"] == "demo"

    def test_a_ping_carries_key_and_secret(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"))
        with self.client() as client:
            client.test()
        pair = base64.b64encode(f"123456789012345:{SECRET}".encode()).decode()
        assert self.asked(httpserver)[0].headers["Authorization"] == f"Basic {pair}"

    @pytest.mark.parametrize(
        ("key", "kind"), [("reports/may.pdf", "raw"), ("photos/ada.JPG", "image"), ("jpg", "raw"), ("a.jpg/b", "raw")]
    )
    def test_a_file_is_sent_as_documented_and_is_private(self, httpserver: HTTPServer, key: str, kind: str) -> None:
        seen: list[dict[str, Any]] = []

        def take(request: Request) -> Response:
            sent = request.files["file"]
            seen.append({"content": sent.read(), "type": sent.content_type, "form": request.form.to_dict()})
            return Response((provider("cloudinary").icon.parent / "answers/uploaded.json").read_bytes())

        self.serve(httpserver, take)
        with self.client() as client:
            stored = client.put(key, b"content", content_type="application/pdf")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", f"/v1_1/demo/{kind}/upload")
        (told,) = seen
        assert (told["content"], told["type"]) == (b"content", "application/pdf")
        form = told["form"]
        assert is_signed(form)
        assert {name: form[name] for name in form if name not in {"signature", "timestamp"}} == {
            "public_id": key,
            "type": "private",
            "overwrite": "true",
            "invalidate": "true",
            "api_key": "123456789012345",
        }
        assert abs(int(form["timestamp"]) - NOW.timestamp()) < 60
        assert (stored.key, stored.size, stored.etag) == (key, 7, "7a5c2a8f3a1d")

    def test_without_pictures_everything_is_a_file(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "settings", {"cloud_name": "demo", "images": False})
        self.script(httpserver, self.answer("uploaded"))
        with self.client() as client:
            client.put("ada.jpg", b"content", content_type="image/jpeg")
        assert self.asked(httpserver)[0].path == "/v1_1/demo/raw/upload"

    def test_a_file_is_read_by_a_signed_address(self, httpserver: HTTPServer) -> None:
        self.script(
            httpserver, Response(b"\x00pdf", headers={"Content-Type": "application/pdf", "ETag": '"7a5c2a8f3a1d"'})
        )
        with self.client() as client:
            found = client.get("reports/may.pdf")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("GET", "/v1_1/demo/raw/download")
        assert is_signed(request.args.to_dict())
        assert request.args["public_id"] == "reports/may.pdf"
        assert (found.content, found.content_type, found.etag) == (b"\x00pdf", "application/pdf", "7a5c2a8f3a1d")

    def test_what_is_not_there_is_missing(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, {"error": {"message": "Resource not found - nothing.txt"}}))
        with self.client() as client, pytest.raises(Missing, match="Resource not found"):
            client.get("nothing.txt")

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_an_address_works_for_a_while(self, monkeypatch: pytest.MonkeyPatch, algorithm: str, settings: Any) -> None:
        settings.PROVIDER_URLS = {}
        monkeypatch.setattr(type(self), "settings", {"cloud_name": "demo", "signature_algorithm": algorithm})
        with self.client() as client:
            address = client.presign("photos/ada é.png", seconds=600)
        parts, params = urlsplit(address), dict(parse_qsl(urlsplit(address).query))
        assert address.startswith("https://api.cloudinary.com/v1_1/demo/image/download?")
        assert parts.fragment == ""
        assert is_signed(params, algorithm)
        assert params["public_id"] == "photos/ada é.png"
        assert params["format"] == "png"
        assert params["type"] == "private"
        assert abs(int(params["expires_at"]) - NOW.timestamp() - 600) < 60
        assert SECRET not in address

    def test_there_are_no_addresses_to_write_to(self) -> None:
        with self.client() as client, pytest.raises(Refused):
            client.presign("a.txt", seconds=60, method="PUT")

    @pytest.mark.parametrize("result", ["ok", "not found"])
    def test_deleting_what_is_not_there_is_no_error(self, httpserver: HTTPServer, result: str) -> None:
        self.script(httpserver, {"result": result})
        with self.client() as client:
            client.delete("a.txt")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/v1_1/demo/raw/destroy")
        assert is_signed(request.form.to_dict())
        assert request.form["type"] == "private"

    def test_a_deletion_that_did_not_happen_is_told(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {"result": "error"})
        with self.client() as client, pytest.raises(Refused):
            client.delete("a.txt")

    @pytest.mark.parametrize(
        "key", ["", "/a", "a//b", "../b", "a&type=upload", "a?b", "a#b", "a%2fb", "a+b", " a", "a\n", "x" * 256]
    )
    def test_a_key_that_means_something_else_is_refused(self, httpserver: HTTPServer, key: str) -> None:
        with self.client() as client:
            for ask in (client.get, client.delete, lambda key: client.presign(key, seconds=60)):
                with pytest.raises(BadRequest):
                    ask(key)
            with pytest.raises(BadRequest):
                client.put(key, b"", content_type="text/plain")
        assert self.asked(httpserver) == []

    def test_its_own_status_of_too_many_calls_is_understood(self, httpserver: HTTPServer) -> None:
        reset = "Sat, 21 Nov 2026 12:30:00 GMT"
        limited = Response(
            b'{"error": {"message": "Rate Limit Exceeded. Limit of 500 api operations reached."}}',
            status=420,
            headers={"X-FeatureRateLimit-Reset": reset},
        )
        self.script(httpserver, limited)
        with self.client() as client, pytest.raises(RateLimited) as error:
            client.test()
        assert error.value.retry_after == pytest.approx(1800, abs=60)

    def test_a_wrong_secret_is_the_credentials_fault(self, httpserver: HTTPServer) -> None:
        words = "Invalid Signature 1a2b. String to sign - 'public_id=a.txt'."
        self.script(httpserver, (401, {"error": {"message": words}}))
        with self.client() as client, pytest.raises(CredentialRefused, match="Invalid Signature"):
            client.delete("a.txt")


def test_the_signature_is_the_one_that_cloudinary_published() -> None:
    params = {"timestamp": "1315060510", "public_id": "sample_image"}
    eager = {**params, "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop"}
    assert signature(params, "abcd", "sha1") == "b4ad47fb4e25c7bf5f92a20089f9db59bc302313"
    assert signature(eager, "abcd", "sha1") == "bfd09f95f331f558cbd1320e67aa8d488770583e"


def test_no_value_smuggles_a_parameter_into_the_signature() -> None:
    with pytest.raises(ValueError, match="&"):
        signature({"public_id": "a&type=upload"}, "abcd", "sha1")


@pytest.mark.parametrize("cloud", ["demo/raw", "..", "demo?x", "demo#", "a b", "@evil.example", "é"])
def test_no_cloud_name_leads_elsewhere(cloud: str) -> None:
    with pytest.raises(BadFields):
        provider("cloudinary").clean_settings({"cloud_name": cloud})
