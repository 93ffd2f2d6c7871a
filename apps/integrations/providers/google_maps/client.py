"""Calls to Google Maps. It takes its key in the address, and says in the body of a 200 what it refuses."""

from __future__ import annotations

from typing import Any

import orjson

from apps.integrations.contracts.maps import Place
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.http import Answer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)

_GOOD = frozenset({"OK", "ZERO_RESULTS"})
_KINDS: dict[str, type[ProviderError]] = {
    "wrong key": CredentialRefused,
    "REQUEST_DENIED": NotPermitted,
    "OVER_DAILY_LIMIT": QuotaUsedUp,  # no billing, a card that expired, or a limit of the account's own
    "daily quota": QuotaUsedUp,
    "OVER_QUERY_LIMIT": RateLimited,
    "INVALID_REQUEST": Refused,
    "UNKNOWN_ERROR": Unavailable,
}
_TILES = 4
"""Of a map's width, on a screen of the usual size."""
_EVERYWHERE = 90.0
"""Degrees to each side from which on nothing is near or far."""
_TEST_PLACE = "48.85837,2.294481"


class Client(ProviderClient):
    """Google Maps with one API key."""

    def authentication(self) -> dict[str, str]:
        return {}

    def test(self) -> Tested:
        """The description of a Street View picture: of all calls the one that is neither billed nor counted
        (developers.google.com/maps/documentation/streetview/metadata). Google does not say whose key it is.
        """
        self._ask("streetview/metadata", location=_TEST_PLACE)
        return Tested()

    def geocode(self, address: str, *, language: str = "") -> list[Place]:
        """Where an address may be, likeliest first; near the connection's centre likelier than elsewhere."""
        return self._places(address=address, language=language, bounds=self._near())

    def _near(self) -> str:
        """The settings' centre with what lies around it, as the viewport whose results Google prefers (``bounds``,
        south-west and north-east corner); "" without a centre.
        """
        centre = str(self.settings["default_center"])
        # At zoom 0 a tile of a map is the whole world, and half as wide with every step.
        side = _TILES / 2 * 360 / 2 ** int(self.settings["default_zoom"])
        if not centre or side > _EVERYWHERE:
            return ""
        latitude, longitude = (float(part) for part in centre.split(","))
        south, north = max(latitude - side / 2, -90.0), min(latitude + side / 2, 90.0)
        west, east = ((longitude + way * side + 180) % 360 - 180 for way in (-1, 1))
        return f"{south:.6f},{west:.6f}|{north:.6f},{east:.6f}"

    def reverse(self, latitude: float, longitude: float, *, language: str = "") -> list[Place]:
        """What is at a place, nearest first."""
        return self._places(latlng=f"{latitude:.7f},{longitude:.7f}", language=language)

    def refuses(self, answer: Answer) -> bool:
        if super().refuses(answer):
            return True
        try:
            body = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            return False  # ``ask`` tells what that is
        return isinstance(body, dict) and body.get("status") not in _GOOD

    def read_error(self, body: Any) -> tuple[str, str]:
        status = body.get("status") if isinstance(body, dict) else None
        if not isinstance(status, str):
            return super().read_error(body)
        words = str(body.get("error_message") or "")
        if status == "REQUEST_DENIED" and any(
            sign in words for sign in ("API key is invalid", "API key is expired", "must use an API key")
        ):
            return "wrong key", words
        if status == "OVER_QUERY_LIMIT" and "daily" in words.lower():
            return "daily quota", words
        return status, words or status

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        if status >= 500:
            return super().kind_of(status, code)
        return _KINDS.get(code) or super().kind_of(status, code)

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value}
        return self.ask_for("GET", path, params={**given, "key": self.credentials["api_key"]})

    def _places(self, **parameters: str) -> list[Place]:
        answer = self._ask("geocode/json", **parameters)
        try:
            return [_place(entry) for entry in answer["results"]]
        except (KeyError, TypeError, ValueError):
            raise BadAnswer.about("Google Maps", "the answer holds no places") from None


def _place(entry: dict[str, Any]) -> Place:
    location = entry["geometry"]["location"]
    kinds = entry.get("types") or [""]
    return Place(
        latitude=float(location["lat"]),
        longitude=float(location["lng"]),
        address=str(entry["formatted_address"]),
        id=str(entry.get("place_id", "")),
        kind=str(kinds[0]),
    )
