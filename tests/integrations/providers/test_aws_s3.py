"""Amazon S3: signatures against what AWS published and against its own library, jobs against a real server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.outbound.errors import BadRequest, OutboundError
from apps.integrations.providers import provider
from apps.integrations.providers.aws_s3.client import Client
from apps.integrations.providers.aws_s3.sigv4 import Signer
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import CredentialRefused, Missing, NotPermitted, RateLimited, Refused
from apps.integrations.providers.escaping import key_path
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

# Of the worked examples in Amazon's API reference ("Signature Calculations for the Authorization Header").
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST, THEN = "examplebucket.s3.amazonaws.com", datetime(2013, 5, 24, tzinfo=UTC)
ANSWERS = Path(provider("aws_s3").icon).parent / "answers"


def signer(**changes: str) -> Signer:
    return Signer(**{"access_key_id": KEY, "secret_access_key": SECRET, "region": "us-east-1", **changes})


class TestTheSignature:
    @pytest.mark.parametrize(
        ("method", "request_", "signature"),
        [
            (
                "GET",
                {"path": "/test.txt", "headers": {"Range": "bytes=0-9"}},
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                {
                    "path": "/test%24file.text",
                    "headers": {
                        "Date": "Fri, 24 May 2013 00:00:00 GMT",
                        "x-amz-storage-class": "REDUCED_REDUNDANCY",
                    },
                    "content": b"Welcome to Amazon S3.",
                },
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                "GET",
                {"path": "/", "query": {"lifecycle": ""}},
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "GET",
                {"path": "/", "query": {"max-keys": "2", "prefix": "J"}},
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ],
    )
    def test_is_the_one_that_amazon_published(self, method: str, request_: dict[str, Any], signature: str) -> None:
        headers = signer().headers(method, host=HOST, at=THEN, **request_)
        assert headers["authorization"].endswith(f"Signature={signature}")
        assert f"Credential={KEY}/20130524/us-east-1/s3/aws4_request," in headers["authorization"]

    def test_of_an_address_is_the_one_that_amazon_published(self) -> None:
        query = signer().presigned_query("GET", host=HOST, path="/test.txt", seconds=86400, at=THEN)
        assert query.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")

    keys = st.lists(
        st.text(
            st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cn", "Co", "Cf"), exclude_characters="/"),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=3,
    ).filter(lambda parts: not {".", ".."} & set(parts))

    @hypothesis_settings(max_examples=150, deadline=None, database=None)
    @given(
        key=keys.map("/".join), token=st.sampled_from(["", "FwoGZXIvYXdzE//token+/="]), content=st.binary(max_size=20)
    )
    @example(key="a b+c~d%20é/!'()*", token="", content=b"")
    def test_is_that_of_amazons_own_library(self, key: str, token: str, content: bytes) -> None:
        from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        ours = signer(region="eu-central-1", session_token=token)
        theirs = Credentials(KEY, SECRET, token or None)
        path = f"/{key_path(key)}"
        with time_machine.travel(datetime(2026, 11, 21, 12, 0, tzinfo=UTC), tick=False):
            now = datetime.now(UTC)
            request = AWSRequest("PUT", f"https://{HOST}{path}", data=content, headers={"content-type": "text/plain"})
            S3SigV4Auth(theirs, "s3", "eu-central-1").add_auth(request)
            headers = ours.headers(
                "PUT", host=HOST, path=path, content=content, headers={"content-type": "text/plain"}, at=now
            )
            theirs_signed = request.headers["Authorization"].replace(", ", ",")
            if "content-type" in theirs_signed:
                assert headers["authorization"] == theirs_signed
            address = AWSRequest("GET", f"https://{HOST}{path}")
            S3SigV4QueryAuth(theirs, "s3", "eu-central-1", expires=60).add_auth(address)
            query = ours.presigned_query("GET", host=HOST, path=path, seconds=60, at=now)
        assert "content-type" in theirs_signed
        assert dict(parse_qsl(query)) == dict(parse_qsl(urlsplit(address.url).query))
        assert urlsplit(address.url).path == path

    def test_does_not_show_its_secret(self) -> None:
        assert SECRET not in repr(signer(session_token="a-session-token"))
        assert "a-session-token" not in repr(signer(session_token="a-session-token"))


class TestS3(Conformance):
    name = "aws_s3"
    credentials = {"access_key_id": KEY, "secret_access_key": SECRET, "session_token": "FwoGZXIvYXdzEBYaDtoken"}
    settings = {"bucket": "examplebucket", "region": "eu-central-1"}
    asks = ("GET", "/examplebucket")
    identity = "examplebucket (eu-central-1)"

    def success(self) -> Response:
        return Response((ANSWERS / "test.xml").read_bytes(), mimetype="application/xml")

    def refusal(self, status: int) -> Response:
        return Response((ANSWERS / "refused.xml").read_bytes(), status=status, mimetype="application/xml")

    def test_its_definition_is_sane(self) -> None:
        assert self.definition.faults() == []
        assert self.definition.clean_credentials(self.credentials) == dict(self.credentials)
        assert self.definition.clean_settings(self.settings)["bucket"] == "examplebucket"

    def test_the_test_lists_no_files_and_is_signed(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.success())
        with self.client() as client:
            client.test()
        (request,) = self.asked(httpserver)
        assert request.args.to_dict() == {"list-type": "2", "max-keys": "0"}
        assert request.headers["Authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/")
        assert "/eu-central-1/s3/aws4_request" in request.headers["Authorization"]
        assert request.headers["x-amz-security-token"] == self.credentials["session_token"]

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (403, "InvalidAccessKeyId", CredentialRefused),
            (403, "SignatureDoesNotMatch", CredentialRefused),
            (400, "ExpiredToken", CredentialRefused),
            (403, "AccessDenied", NotPermitted),
            (404, "NoSuchKey", Missing),
            (503, "SlowDown", RateLimited),
            (400, "EntityTooLarge", Refused),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, code: str, kind: type[OutboundError]
    ) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
        self.script(httpserver, Response(body, status=status))
        with self.client() as client, pytest.raises(OutboundError) as error:
            client.get("a.txt")
        assert type(error.value) is kind

    def test_a_bucket_of_another_region_is_told(self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "settings", {"bucket": "examplebucket", "region": "us-east-1"})
        self.script(httpserver, Response((ANSWERS / "elsewhere.xml").read_bytes(), status=400))
        with self.client() as client, pytest.raises(Refused, match="The bucket is in the region eu-central-1"):
            client.test()


class TestWhereItGoes:
    @pytest.mark.parametrize(
        ("settings_", "address"),
        [
            ({"bucket": "files", "region": "eu-central-1"}, "https://files.s3.eu-central-1.amazonaws.com/k"),
            ({"bucket": "files", "region": "cn-north-1"}, "https://files.s3.cn-north-1.amazonaws.com.cn/k"),
            ({"bucket": "my.files", "region": "us-west-2"}, "https://s3.us-west-2.amazonaws.com/my.files/k"),
            (
                {"bucket": "files", "endpoint": "https://minio.example.com:9000"},
                "https://minio.example.com:9000/files/k",
            ),
            ({"bucket": "files", "endpoint": "https://minio.example.com:443"}, "https://minio.example.com/files/k"),
        ],
    )
    def test_every_region_and_store_has_its_address(
        self, settings_: dict[str, str], address: str, settings: Any
    ) -> None:
        settings.PROVIDER_URLS = {}
        definition = provider("aws_s3")
        chosen = definition.clean_settings(settings_)
        with definition.client_class(definition, TestS3.credentials, chosen) as client:
            assert client.presign("k", seconds=60).partition("?")[0] == address

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("bucket", "evil.example/"),
            ("bucket", "a..b"),
            ("bucket", "UPPER"),
            ("bucket", "a@evil.example"),
            ("bucket", "../other"),
            ("region", "x.evil.example#"),
            ("region", "eu/central"),
            ("endpoint", "https://minio.example.com/path"),
            ("endpoint", "https://minio.example.com?x"),
            ("endpoint", "https://user:password@minio.example.com"),
            ("endpoint", "ftp://minio.example.com"),
            ("endpoint", "file:///etc/passwd"),
        ],
    )
    def test_nothing_typed_changes_the_host_or_path(self, field: str, value: str) -> None:
        with pytest.raises(BadFields) as error:
            provider("aws_s3").clean_settings({"bucket": "files", field: value})
        assert set(error.value.errors) == {field}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A server that speaks S3, on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str, settings: Any) -> Iterator[Client]:
    settings.PROVIDER_URLS = {}
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    urllib.request.urlopen(urllib.request.Request(f"{moto}/files", method="PUT")).close()
    definition = provider("aws_s3")
    chosen = definition.clean_settings({"bucket": "files", "endpoint": moto})
    with definition.client_class(definition, {"access_key_id": KEY, "secret_access_key": SECRET}, chosen) as client:
        yield client


KEYS = ["a.txt", "reports/2026/may.pdf", "with space+plus.txt", "naïve/☃/100%.txt", "a%2Fb", "q?x=1&y#z", "~!'()*;:@,$"]


class TestFiles:
    def test_the_connection_works(self, bucket: Client) -> None:
        assert bucket.test().identity == "files (us-east-1)"

    @pytest.mark.parametrize("key", KEYS)
    def test_what_is_put_is_got(self, bucket: Client, key: str) -> None:
        content = bytes(range(256)) + key.encode()
        put = bucket.put(key, content, content_type="application/x-thing")
        assert (put.key, put.size) == (key, len(content))
        got = bucket.get(key)
        assert (got.key, got.content, got.content_type) == (key, content, "application/x-thing")
        assert got.etag == put.etag
        assert len(got.etag) == 32

    def test_what_is_put_again_is_replaced(self, bucket: Client) -> None:
        bucket.put("a.txt", b"one", content_type="text/plain")
        bucket.put("a.txt", b"two", content_type="text/plain")
        assert bucket.get("a.txt").content == b"two"

    def test_what_is_not_there_is_missing(self, bucket: Client) -> None:
        with pytest.raises(Missing, match="does not exist"):
            bucket.get("nothing.txt")

    def test_what_is_deleted_is_gone_and_deleting_twice_is_no_error(self, bucket: Client) -> None:
        bucket.put("a.txt", b"one", content_type="text/plain")
        bucket.delete("a.txt")
        bucket.delete("a.txt")
        with pytest.raises(Missing):
            bucket.get("a.txt")

    @pytest.mark.parametrize("key", KEYS)
    def test_an_address_reads_and_another_writes_without_the_key(self, bucket: Client, key: str) -> None:
        writing = bucket.presign(key, seconds=60, method="PUT")
        headers = {"Content-Type": "application/octet-stream"}
        urllib.request.urlopen(urllib.request.Request(writing, b"by address", headers, method="PUT")).close()
        assert bucket.get(key).content == b"by address"
        with urllib.request.urlopen(bucket.presign(key, seconds=60)) as answer:
            assert answer.read() == b"by address"
        assert SECRET not in writing

    @pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * 3600 + 1])
    def test_an_address_lasts_a_week_at_most(self, bucket: Client, seconds: int) -> None:
        with pytest.raises(BadRequest):
            bucket.presign("a.txt", seconds=seconds)

    @pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../b", "a/../../b", ".", "a/./b", "a\nb", "a\x00b"])
    def test_a_key_that_leads_elsewhere_is_refused(self, bucket: Client, key: str) -> None:
        for ask in (bucket.get, bucket.delete, lambda key: bucket.presign(key, seconds=60)):
            with pytest.raises(BadRequest):
                ask(key)

    @pytest.mark.parametrize("content_type", ["", "text/plain\r\nx-amz-acl: public-read", "text/☃"])
    def test_a_content_type_is_one_header(self, bucket: Client, content_type: str) -> None:
        with pytest.raises(BadRequest):
            bucket.put("a.txt", b"", content_type=content_type)

    def test_a_bucket_that_is_not_there_is_told(self, bucket: Client, moto: str) -> None:
        definition = provider("aws_s3")
        chosen = definition.clean_settings({"bucket": "others", "endpoint": moto})
        with (
            definition.client_class(definition, TestS3.credentials, chosen) as client,
            pytest.raises(Missing, match="bucket"),
        ):
            client.test()
