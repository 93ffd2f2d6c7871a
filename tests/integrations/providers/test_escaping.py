"""What somebody typed, as a part of an address: it stays in its place, whatever it is."""

from __future__ import annotations

from urllib.parse import unquote

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers.escaping import key_path, segment

CLIENT = httpx2.Client(
    base_url="https://api.service.example/v3/", transport=httpx2.MockTransport(lambda _: httpx2.Response(500))
)


def address(path: str) -> httpx2.URL:
    """Where a call of a client with a base address goes."""
    return CLIENT.build_request("GET", path).url


@given(st.one_of(st.text(max_size=30), st.text(alphabet="./\\%?#@:;&=~ \t2eEfF", max_size=12)))
@example("../../admin")
@example("//evil.example/x")
@example("https://evil.example/")
@example("%2e%2e")
@example("a@evil.example")
def test_a_segment_leads_nowhere_else(value: str) -> None:
    try:
        url = address(f"lists/{segment(value)}/members")
    except BadRequest:
        return
    assert (url.scheme, url.host, url.query, url.fragment) == ("https", "api.service.example", b"", "")
    before, lists, inside, members = url.raw_path.decode().rsplit("/", 3)
    assert (before, lists, members) == ("/v3", "lists", "members")
    assert unquote(inside) == value


@given(st.text(alphabet="ab./\\%?#é", max_size=16))
@example("a/../../b")
@example("/a")
def test_the_key_of_a_file_leads_nowhere_else(key: str) -> None:
    try:
        url = address(f"bucket/{key_path(key)}")
    except BadRequest:
        return
    assert (url.host, url.query, url.fragment) == ("api.service.example", b"", "")
    assert unquote(url.raw_path.decode()) == f"/v3/bucket/{key}"


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "a\x00b", "\u202e"])
def test_what_can_be_no_part_of_an_address_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        segment(value)
