"""Which addresses are outside: all that the Internet routes, nothing that this machine or its network keeps.

The list is the IANA special-purpose address registries (RFC 6890 and its updates) for IPv4 and IPv6, and for IPv6 the
wrappers that carry an IPv4 address inside, which is judged in turn. It is written out, not asked of
``ipaddress.is_global``, whose answers change between Python releases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_INSIDE_4 = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this machine"),
        ("127.0.0.0/8", "this machine"),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("100.64.0.0/10", "a provider's shared network"),  # RFC 6598
        ("169.254.0.0/16", "the local link, where clouds keep their metadata"),
        ("192.0.0.0/24", "a protocol's own range"),
        ("192.0.2.0/24", "an example range"),
        ("198.51.100.0/24", "an example range"),
        ("203.0.113.0/24", "an example range"),
        ("192.88.99.0/24", "a relay to IPv6"),
        ("198.18.0.0/15", "a test network"),
        ("224.0.0.0/4", "a multicast group"),
        ("240.0.0.0/4", "a reserved range"),  # the broadcast address too
        ("168.63.129.16/32", "a cloud's own service"),  # Azure's host: a public number that only a guest reaches
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_INSIDE_6 = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("2001::/23", "a protocol's own range"),  # Teredo among them, which wraps a server and a client
        ("2001:db8::/32", "an example range"),
        ("3fff::/20", "an example range"),  # RFC 9637
        ("5f00::/16", "a protocol's own range"),
    )
)
_WRAPPED_LAST_32 = tuple(
    IPv6Network(network) for network in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96")
)
_SIX_TO_FOUR = IPv6Network("2002::/16")


def inside(address: Address) -> str | None:
    """What ``address`` belongs to when it is not outside; None when it is."""
    if isinstance(address, IPv4Address):
        return next((what for network, what in _INSIDE_4 if address in network), None)
    if address in (IPv6Address("::"), IPv6Address("::1")):
        return "this machine"
    if any(address in network for network in _WRAPPED_LAST_32):
        return inside(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _SIX_TO_FOUR:
        return inside(IPv4Address(int(address) >> 80 & 0xFFFFFFFF))
    if address not in _GLOBAL_6:
        return "a private network"  # link-local, unique local, multicast, and what nobody has been given yet
    return next((what for network, what in _INSIDE_6 if address in network), None)


def parse_address(text: str) -> Address:
    """The address in ``text``, without the zone that the system adds to link-local ones. Raises ValueError."""
    return ip_address(text.partition("%")[0])


@dataclass(frozen=True)
class AllowList:
    """Places inside that the operator opens: networks, and hosts by name (with a port, or for all ports).

    A frozen value, so that connections may be shared among those who hold equal lists, and only among them.
    """

    networks: frozenset[IPv4Network | IPv6Network] = frozenset()
    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> AllowList:
        """From entries such as ``10.1.0.0/16``, ``192.168.1.20``, ``crm.internal`` or ``crm.internal:8443``.

        Raises ValueError naming the entry that is none of these.
        """
        networks: set[IPv4Network | IPv6Network] = set()
        hosts: set[tuple[str, int | None]] = set()
        for entry in filter(None, (entry.strip() for entry in entries)):
            try:
                networks.add(ip_network(entry))
            except ValueError:
                hosts.add(_host_and_port(entry))
        return cls(frozenset(networks), frozenset(hosts))

    def opens(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to ``address``, which ``host`` resolved to, is allowed although it is inside."""
        name = host.rstrip(".").lower()
        if (name, None) in self.hosts or (name, port) in self.hosts:
            return True
        return any(address in network for network in self.networks)


def _host_and_port(entry: str) -> tuple[str, int | None]:
    host, separator, port = entry.rpartition(":")
    if not separator or entry.endswith("]"):
        host, port = entry, ""
    name = host.strip("[]").rstrip(".").lower()
    well_formed = name and not set(name) & set("/@ \t*") and (not separator or entry.endswith("]") or port.isdigit())
    if not well_formed or (port and not 0 < int(port) < 65536):
        raise ValueError(f"“{entry}” is no network, address or host (with a port) that could be allowed.")
    return name, int(port) if port else None
