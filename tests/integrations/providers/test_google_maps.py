"""Google Maps."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.maps import Place
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")
KEY = "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"
GOOGLEPLEX = Place(
    latitude=37.4224428,
    longitude=-122.0842467,
    address="1600 Amphitheatre Pkwy, Mountain View, CA 94043, USA",
    id="ChIJeRpOeF67j4AR9ydy_PIzPuM",
    kind="street_address",
)


class TestGoogleMaps(Conformance):
    name = "google_maps"
    credentials = {"api_key": KEY}
    asks = ("GET", "/streetview/metadata")
    identity = ""
    in_address = ("api_key",)

    def refusal(self, status: int) -> Response:
        """Refusals have the status 200; what a proxy of Google's says has another shape."""
        refused = self.answer("refused")
        if status == 403:
            refused["error_message"] = "This API key is not authorized to use this service or API."
        return Response(orjson.dumps(refused), status=200 if status < 500 else status, mimetype="application/json")

    def geocode(self, address: str = "1600 Amphitheatre Parkway", language: str = "") -> list[Place]:
        with self.client() as client:
            found: list[Place] = client.geocode(address, language=language)
        return found

    def test_an_address_is_found_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        assert self.geocode("1600 Amphitheatre Parkway & Söhne #2", "de") == [GOOGLEPLEX]
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("GET", "/maps/api/geocode/json")
        assert request.args.to_dict() == {
            "address": "1600 Amphitheatre Parkway & Söhne #2",
            "language": "de",
            "key": KEY,
        }

    def test_an_address_can_not_bring_a_key_of_its_own(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        self.geocode("x&key=another&signature=1")
        assert self.asked(httpserver)[0].args.getlist("key") == [KEY]

    def test_a_place_is_found_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("geocode"))
        with self.client() as client:
            assert client.reverse(37.4224428, -1e-5) == [GOOGLEPLEX]
        assert self.asked(httpserver)[0].args.to_dict() == {"latlng": "37.4224428,-0.0000100", "key": KEY}

    def test_nothing_found_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {"results": [], "status": "ZERO_RESULTS"})
        assert self.geocode("nowhere at all") == []

    @pytest.mark.parametrize("status", [200, 400])
    @pytest.mark.parametrize(
        ("code", "words", "kind"),
        [
            ("REQUEST_DENIED", "The provided API key is expired.", CredentialRefused),
            ("REQUEST_DENIED", "You must use an API key to authenticate each request.", CredentialRefused),
            ("REQUEST_DENIED", "This API project is not authorized to use this API.", NotPermitted),
            ("OVER_DAILY_LIMIT", "You must enable Billing.", QuotaUsedUp),
            ("OVER_QUERY_LIMIT", "You have exceeded your daily request quota for this API.", QuotaUsedUp),
            ("OVER_QUERY_LIMIT", "You have exceeded your rate-limit for this API.", RateLimited),
            ("INVALID_REQUEST", "Invalid request. Missing the 'address' parameter.", Refused),
            ("UNKNOWN_ERROR", "Server error", Unavailable),
            ("TOMORROWS_STATUS", "Who knows", Refused),
        ],
    )
    def test_a_refusal_inside_of_a_200_is_no_success(
        self, httpserver: HTTPServer, status: int, code: str, words: str, kind: type[ProviderError]
    ) -> None:
        self.script(httpserver, (status, {"error_message": words, "results": [], "status": code}))
        with pytest.raises(ProviderError, match=words.replace(".", r"\.")) as raised:
            self.geocode()
        assert type(raised.value) is kind

    @pytest.mark.parametrize("results", [None, [{}], [{"geometry": None}], ["x"]])
    def test_places_that_are_none_are_no_success(self, httpserver: HTTPServer, results: Any) -> None:
        self.script(httpserver, {"results": results, "status": "OK"})
        with pytest.raises(BadAnswer):
            self.geocode()

    @pytest.mark.parametrize(
        ("chosen", "bounds"),
        [
            ({}, None),
            ({"default_center": "52.52,13.405"}, "52.432109,13.229219|52.607891,13.580781"),
            ({"default_center": "52.52, 13.405", "default_zoom": 15}, "52.509014,13.383027|52.530986,13.426973"),
            ({"default_center": "-16.5,179.9", "default_zoom": 10}, "-16.851562,179.196875|-16.148438,-179.396875"),
            ({"default_center": "89.99,0", "default_zoom": 8}, "88.583750,-2.812500|90.000000,2.812500"),
            ({"default_center": "52.52,13.405", "default_zoom": 0}, None),
        ],
    )
    def test_what_is_near_the_centre_of_the_settings_comes_first(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], bounds: str | None
    ) -> None:
        monkeypatch.setattr(type(self), "settings", chosen)
        self.script(httpserver, self.answer("geocode"))
        self.geocode()
        assert self.asked(httpserver)[0].args.get("bounds") == bounds

    @pytest.mark.parametrize("centre", ["91,0", "0,181", "52.52", "here", "52.52;13.4"])
    def test_a_centre_off_the_map_is_refused(self, centre: str) -> None:
        with pytest.raises(BadFields):
            self.definition.clean_settings({"default_center": centre})
        assert self.definition.clean_settings({"default_center": "-33.86, 151.21"})["default_zoom"] == 12
