"""What libraries and the system raise, told by our own kinds of error."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore2
import httpx2

from apps.integrations.outbound.deadline import left
from apps.integrations.outbound.errors import (
    BadAddress,
    BadAnswer,
    BrokenOff,
    Busy,
    NameNotFound,
    NoAnswer,
    NotConnected,
    NotSecured,
    NotSendable,
    NotTrusted,
    OutboundError,
    TooLarge,
)
from apps.integrations.outbound.guard import NoAddress

_MEGABYTE = 1024 * 1024


def name_of(url: httpx2.URL) -> str:
    """The server as people know it: host, and the port where it is not the usual one."""
    return url.netloc.decode("ascii", "replace")


@contextmanager
def told(url: httpx2.URL) -> Iterator[None]:
    """What goes wrong inside, told by what the caller may do about it."""
    who = name_of(url)
    try:
        yield
    except httpx2.PoolTimeout as error:
        raise Busy.about(who, _kind(error)) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        raise _not_connected(error, url) from None
    except (httpx2.TimeoutException, httpcore2.TimeoutException) as error:
        raise NoAnswer.about(who, _kind(error)) from None
    except httpx2.DecodingError as error:
        raise BadAnswer.about(who, _kind(error)) from None
    except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
        raise BrokenOff.about(who, _kind(error)) from None
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise BadAddress.about(who, _kind(error)) from None
    except (httpx2.LocalProtocolError, UnicodeEncodeError) as error:
        # Not their words: they quote the header.
        raise NotSendable.about(who, _kind(error)) from None


def read_all(response: httpx2.Response, maximum: int) -> bytes:
    """The answer, up to ``maximum`` bytes. Raises TooLarge."""
    content = bytearray()
    for chunk in response.iter_bytes():
        left(None)
        content += chunk
        if len(content) > maximum:
            raise too_large(response.url, maximum)
    return bytes(content)


def too_large(url: httpx2.URL, maximum: int) -> TooLarge:
    """For an answer of more than ``maximum`` bytes."""
    limit = f"{maximum / _MEGABYTE:.3g} MB" if maximum >= _MEGABYTE else f"{maximum} bytes"
    return TooLarge.about(name_of(url), f"more than {maximum} bytes", limit=limit)


def _not_connected(error: Exception, url: httpx2.URL) -> OutboundError:
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotTrusted.about(name_of(url), f"{_kind(error)}: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return NotSecured.about(name_of(url), f"{_kind(error)}: {cause.reason}")
        if isinstance(cause, socket.gaierror | NoAddress):
            return NameNotFound.about(url.host, f"{_kind(error)}: no address")
    root = causes[-1]
    number = f" {root.errno}" if isinstance(root, OSError) and root.errno else ""
    return NotConnected.about(name_of(url), f"{_kind(error)}: {_kind(root)}{number}")


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
