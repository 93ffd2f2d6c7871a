"""Calls to Mapbox, which takes its token in the address."""

from __future__ import annotations

from typing import Any

from apps.integrations.contracts.maps import Place
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import CredentialRefused, Refused

LONGEST = 256
"""Characters of an address that Mapbox reads."""
_TOKEN_STATES = {
    "TokenMalformed": "this is no token.",
    "TokenInvalid": "the token is not valid.",
    "TokenExpired": "the token has expired.",
    "TokenRevoked": "the token was revoked.",
}


class Client(ProviderClient):
    """Mapbox with one access token."""

    def authentication(self) -> dict[str, str]:
        return {}

    def test(self) -> Tested:
        """The token itself (docs.mapbox.com/api/accounts/tokens): asking is free. A bad one is told in a 200."""
        answer = self._ask("tokens/v2")
        state = str(answer.get("code", ""))
        if state in _TOKEN_STATES:
            raise CredentialRefused(f"Mapbox: {_TOKEN_STATES[state]}")
        token = answer.get("token")
        if state != "TokenValid" or not isinstance(token, dict):
            raise BadAnswer.about("Mapbox", "the answer says nothing of the token")
        return Tested(identity=str(token.get("user", "")), facts={"usage": str(token.get("usage", ""))})

    def geocode(self, address: str, *, language: str = "") -> list[Place]:
        """Where an address may be, likeliest first."""
        # A semicolon would end the address and begin another one.
        query = " ".join(address.replace(";", ",").split())
        if len(query) > LONGEST:
            raise Refused(f"Mapbox reads addresses of at most {LONGEST} characters.")
        return self._places("search/geocode/v6/forward", q=query, language=language)

    def reverse(self, latitude: float, longitude: float, *, language: str = "") -> list[Place]:
        """What is at a place, nearest first."""
        return self._places(
            "search/geocode/v6/reverse",
            longitude=f"{longitude:.7f}",
            latitude=f"{latitude:.7f}",
            language=language,
        )

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value}
        return self.ask_for("GET", path, params={**given, "access_token": self.credentials["access_token"]})

    def _places(self, path: str, **parameters: str) -> list[Place]:
        answer = self._ask(path, **parameters)
        try:
            return [_place(feature) for feature in answer["features"]]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadAnswer.about("Mapbox", "the answer holds no places") from None


def _place(feature: dict[str, Any]) -> Place:
    told = feature["properties"]
    longitude, latitude = feature["geometry"]["coordinates"][:2]
    address = told.get("full_address") or ", ".join(
        part for part in (told.get("name"), told.get("place_formatted")) if part
    )
    return Place(
        latitude=float(latitude),
        longitude=float(longitude),
        address=str(address),
        id=str(told.get("mapbox_id", "")),
        kind=str(told.get("feature_type", "")),
    )
