"""A call inside a call: an operation of the RPC door, asked of the view that serves its route."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.fields import Fields


class InnerCall(Call):
    """The outer request's caller, with the operation's parameters for body and query."""

    def __init__(self, outer: Call, params: Mapping[str, Any]) -> None:
        super().__init__(outer.request, outer.identity)
        self._params = dict(params)

    @cached_property
    def json(self) -> Any:
        """The parameters."""
        return self._params

    @cached_property
    def query(self) -> Fields:
        """The same: an operation does not say which of them would stand in an address."""
        return Fields({name: value for name, value in self._params.items() if value != ""})
