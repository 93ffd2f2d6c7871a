"""Mapbox."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.maps import Place
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import CredentialRefused, NotPermitted, ProviderError, Refused
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")
TOKEN = "pk.eyJ1IjoibWFwYm94IiwiYSI6ImNpanVjaW1iZTAwMGJyYmt0NDhkMGRoY3gifQ.sbihZCZJ56-fsFNKHXF8YQ"
MEMORIAL = Place(
    latitude=38.889,
    longitude=-77.05,
    address="2 Lincoln Memorial Circle Southwest, Washington, District of Columbia 20418, United States",
    id="dXJuOm1ieGFkcjo2YzdhYjM4Yi05YzM4LTQ3ZDItODFkMC1jZDhlYmM2MzYzMGU",
    kind="address",
)


class TestMapbox(Conformance):
    name = "mapbox"
    credentials = {"access_token": TOKEN}
    asks = ("GET", "/tokens/v2")
    identity = "mapbox"
    in_address = ("access_token",)

    def geocode(self, address: str = "2 Lincoln Memorial Cir NW", language: str = "") -> list[Place]:
        with self.client() as client:
            found: list[Place] = client.geocode(address, language=language)
        return found

    def test_an_address_is_found_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        assert self.geocode("2 Lincoln & Söhne #2", "de") == [MEMORIAL]
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("GET", "/search/geocode/v6/forward")
        assert request.args.to_dict() == {"q": "2 Lincoln & Söhne #2", "language": "de", "access_token": TOKEN}

    def test_a_place_is_found_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        with self.client() as client:
            assert client.reverse(38.889, -77.05) == [MEMORIAL]
        (request,) = self.asked(httpserver)
        assert request.path == "/search/geocode/v6/reverse"
        assert request.args.to_dict() == {
            "longitude": "-77.0500000",
            "latitude": "38.8890000",
            "access_token": TOKEN,
        }

    def test_nothing_found_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {"type": "FeatureCollection", "features": []})
        assert self.geocode("nowhere at all") == []

    def test_an_address_is_one_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        self.geocode("Main St 1;\n Main St 2")
        assert self.asked(httpserver)[0].args["q"] == "Main St 1, Main St 2"

    def test_an_address_that_is_too_long_is_refused(self, httpserver: HTTPServer) -> None:
        with pytest.raises(Refused, match="256"):
            self.geocode("x" * 257)
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize("code", ["TokenMalformed", "TokenInvalid", "TokenExpired", "TokenRevoked"])
    def test_a_bad_token_inside_of_a_200_is_no_success(self, httpserver: HTTPServer, code: str) -> None:
        self.script(httpserver, {"code": code})
        with self.client() as client, pytest.raises(CredentialRefused):
            client.test()

    @pytest.mark.parametrize("answer", [{}, {"code": "TokenValid"}, {"code": "Tomorrow", "token": {}}])
    def test_an_answer_that_says_nothing_of_the_token_is_no_success(self, httpserver: HTTPServer, answer: Any) -> None:
        self.script(httpserver, answer)
        with self.client() as client, pytest.raises(BadAnswer):
            client.test()

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (401, {"message": "Not Authorized - Invalid Token", "error_code": "INVALID_TOKEN"}, CredentialRefused),
            (403, {"message": "Forbidden"}, NotPermitted),
            (422, {"message": "Query too long"}, Refused),
        ],
    )
    def test_a_refusal_keeps_its_words(
        self, httpserver: HTTPServer, status: int, body: dict[str, str], kind: type[ProviderError]
    ) -> None:
        self.script(httpserver, (status, body))
        with pytest.raises(kind, match=body["message"]):
            self.geocode()

    @pytest.mark.parametrize("features", [None, [{}], [{"properties": {}, "geometry": {"coordinates": []}}], ["x"]])
    def test_places_that_are_none_are_no_success(self, httpserver: HTTPServer, features: Any) -> None:
        self.script(httpserver, {"features": features})
        with pytest.raises(BadAnswer):
            self.geocode()

    def test_a_style_is_one_of_mapbox(self) -> None:
        with pytest.raises(BadFields):
            self.definition.clean_settings({"style_url": "https://evil.example/style.json"})
