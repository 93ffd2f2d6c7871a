"""The certificates that PayPal signs its deliveries with: fetched from PayPal, once, and kept.

Strangers can write the address of a certificate into a delivery, so an address costs little: it must lie at PayPal, in
the connection's own environment (a sandbox is open to everybody, and its events must never pass for money), it is asked
for once and shortly, and a failure is remembered for a while.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cryptography import x509

from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers.errors import Redirected, Refused
from apps.integrations.providers.paypal.client import Client
from apps.integrations.providers.paypal.definition import PROVIDER
from apps.integrations.providers.webhooks import NotGenuine

_PATH = r"(?P<path>/v1/notifications/certs/[A-Za-z0-9-]{1,200})"
_ADDRESSES = {
    "live": re.compile(rf"(?P<host>https://api(-m)?\.paypal\.com){_PATH}"),
    "sandbox": re.compile(rf"(?P<host>https://api(-m)?\.sandbox\.paypal\.com){_PATH}"),
}
_SECONDS = 5.0
"""How long PayPal has to give a certificate: its delivery waits, and so does a thread of ours."""
_LARGEST = 64 * 1024
_ABSENT, _TROUBLE = 600.0, 20.0
"""Seconds in which an address is not asked again: where there was no certificate, and where PayPal did not answer."""
_MOST_TROUBLE = 300.0
"""The longest that PayPal's own ``Retry-After`` is heeded: its deliveries are repeated for three days only."""
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Failure:
    """What went wrong, without the error itself: its traceback would keep what the call held."""

    kind: type[NotGenuine] | type[OutboundError]
    message: str
    until: float

    @classmethod
    def of(cls, error: NotGenuine | OutboundError, seconds: float) -> _Failure:
        return cls(type(error), str(error), time.monotonic() + seconds)

    def again(self) -> NotGenuine | OutboundError | None:
        """The same error; None when its time is over."""
        return self.kind(self.message) if time.monotonic() < self.until else None


class _Latest(Generic[_Value]):
    """The last values that were asked for, by address. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> _Value | None:
        with self._lock:
            if url in self._values:
                self._values.move_to_end(url)
            return self._values.get(url)

    def keep(self, url: str, value: _Value) -> None:
        with self._lock:
            self._values[url] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


_known: _Latest[x509.Certificate] = _Latest(32)
_failed: _Latest[_Failure] = _Latest(256)


def forget_all() -> None:
    """Forget every certificate and failure of this process."""
    _known.clear()
    _failed.clear()


def certificate_at(url: str, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> x509.Certificate:
    """The certificate under ``url``. Raises NotGenuine when PayPal has none there for the connection's environment;
    OutboundError when it can't be had now."""
    found = _ADDRESSES[settings["environment"]].fullmatch(url)
    if found is None:
        raise NotGenuine("The certificate is not at PayPal, or is of its other environment.")
    known = _known.get(url)
    if known is not None:
        return known
    failure = _failed.get(url)
    again = failure.again() if failure is not None else None
    if again is not None:
        raise again
    try:
        certificate = _parsed(_fetched(found["host"], found["path"], credentials, settings))
    except NotGenuine as error:
        _failed.keep(url, _Failure.of(error, _ABSENT))
        raise
    except OutboundError as error:
        _failed.keep(url, _Failure.of(error, min(max(error.retry_after or 0.0, _TROUBLE), _MOST_TROUBLE)))
        raise
    _known.keep(url, certificate)
    return certificate


def _fetched(host: str, path: str, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> bytes:
    with (
        Client(PROVIDER, credentials, settings, attempts=1) as client,
        client.elsewhere(host, {}, maximum_seconds=_SECONDS, maximum_answer=_LARGEST) as http,
    ):
        try:
            return http.call("GET", path, repeatable=True).content
        except (Refused, Redirected):
            raise NotGenuine("There is no such certificate.") from None


def _parsed(content: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        raise NotGenuine("The certificate can't be read.") from None
