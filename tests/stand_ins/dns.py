"""A DNS server on loopback, over UDP (RFC 1035), whose answers a test writes and may change from one to the next."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

Zone = Mapping[str, Sequence[str]]
"""A name to its answers; each is the addresses of one answer, between spaces. The last one stays."""


class DnsServer(socketserver.ThreadingUDPServer):
    """Answers for A and AAAA from a zone; says that any other name has none."""

    daemon_threads = True

    def __init__(self, zone: Zone) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self._left = {name: list(answers) for name, answers in zone.items()}
        self.asked: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def addresses(self, name: str, kind: dns.rdatatype.RdataType) -> list[str]:
        """The next answer's addresses of this kind. An answer counts as given when IPv4 was asked for."""
        answers = self._left.get(name, [""])
        answer = answers[0]
        if kind == dns.rdatatype.A:
            self.asked.append(name)
        elif len(answers) > 1:  # a resolution asks for A, then for AAAA
            answers.pop(0)
        version = 4 if kind == dns.rdatatype.A else 6
        return [address for address in answer.split() if ip_address(address).version == version]


class _Question(socketserver.BaseRequestHandler):
    server: DnsServer

    def handle(self) -> None:
        wire, socket = self.request
        question = dns.message.from_wire(wire)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        (asked,) = question.question
        if asked.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            found = self.server.addresses(asked.name.to_text(omit_final_dot=True).lower(), asked.rdtype)
            if found:
                answer.answer.append(dns.rrset.from_text(asked.name, 0, "IN", asked.rdtype, *found))
        socket.sendto(answer.to_wire(), self.client_address)


@contextmanager
def dns_server(zone: Zone) -> Iterator[DnsServer]:
    """A running server."""
    with DnsServer(zone) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
