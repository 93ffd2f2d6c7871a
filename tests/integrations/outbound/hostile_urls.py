"""Addresses that an attacker writes to reach what is inside, by family. ``PORT`` stands for the listener's port."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

INSIDE = {
    "loopback": "127.0.0.1",
    "loopback, far end": "127.255.255.254",
    "this machine": "0.0.0.0",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.254",
    "private 192": "192.168.1.1",
    "shared (CGNAT)": "100.64.0.1",
    "shared, far end": "100.127.255.254",
    "metadata": "169.254.169.254",
    "metadata of tasks": "169.254.170.2",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "host of Azure": "168.63.129.16",
    "example": "192.0.2.1",
    "example 2": "198.51.100.7",
    "example 3": "203.0.113.9",
    "test network": "198.18.0.1",
    "multicast": "224.0.0.1",
    "multicast, private": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
}
FAR_6 = (
    "::1",
    "::",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff02::1",
    "ff05::2",
    "2001:db8::1",
    "2001:0:7f00:1::1",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "64:ff9b:1::7f00:1",
    "4000::1",
    "e000::1",
)
SCHEMES = ("file", "gopher", "ftp", "dict", "ldap", "tftp", "jar", "netdoc", "data", "javascript", "ws", "unix", "sftp")
NAMES = (
    "inside.test",
    "metadata.google.internal",
    "metadata.test",
    "shared.test",
    "six.test",
    "mapped.test",
    "both.test",
    "both-ways-round.test",
    "nat64.test",
    "six-to-four.test",
    "any.wildcard.test",
    "zero.test",
)
ZONE = {
    "inside.test": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.test": ["169.254.169.254"],
    "shared.test": ["100.64.3.4"],
    "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "both.test": ["93.184.215.14 10.0.0.5"],
    "both-ways-round.test": ["10.0.0.5 93.184.215.14"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "six-to-four.test": ["2002:7f00:1::1"],
    "any.wildcard.test": ["192.168.0.10"],
    "zero.test": ["0.0.0.0"],
}


def hostile_urls() -> Iterator[str]:
    """Every one of them."""
    for dotted in INSIDE.values():
        for host in spellings_4(IPv4Address(dotted)):
            yield f"http://{host}:PORT/"
    for six in FAR_6:
        yield f"http://[{six}]:PORT/"
    yield from (f"http://{name}{end}:PORT/latest/meta-data/" for name in NAMES for end in ("", "."))
    yield from (f"{scheme}://127.0.0.1:PORT/etc/passwd" for scheme in SCHEMES)
    yield from odd()


def spellings_4(address: IPv4Address) -> Iterator[str]:
    """The ways to write an IPv4 address that some resolver or library takes, and its disguises in IPv6."""
    number = int(address)
    a, b, c, d = address.packed
    yield str(address)
    yield str(number)
    yield hex(number)
    yield f"0{number:o}"
    yield f"{a}.{number & 0xFFFFFF}"
    yield f"{a}.{b}.{number & 0xFFFF}"
    yield ".".join(hex(part) for part in (a, b, c, d))
    yield ".".join(f"0{part:o}" for part in (a, b, c, d))
    yield f"{a}.0x{b:x}.0{c:o}.{d}"
    yield f"{address}."
    for six in (f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}", f"::ffff:0:{address}"):
        yield f"[{six}]"
    yield f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1]"
    yield f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]"


def odd() -> Iterator[str]:
    """Addresses that are read one way by who checks and another way by who connects."""
    yield from (
        "http://localhost:PORT/",
        "http://LOCALHOST:PORT/",
        "http://localhost.:PORT/",
        "http://127.0.0.1.:PORT/",
        "http://public.test@127.0.0.1:PORT/",
        "http://public.test:80@127.0.0.1:PORT/",
        "http://public.test%2F@127.0.0.1:PORT/",
        "http://public.test%23@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT#@public.test/",
        "http://127.0.0.1:PORT?@public.test/",
        "http://127.0.0.1:PORT\\@public.test/",
        "http://public.test\\@127.0.0.1:PORT/",
        "http://127.0.0.1%00.public.test:PORT/",
        "http://127.0.0.1%0d%0a:PORT/",
        "http://127。0。0。1:PORT/",
        "http://１２７.０.０.１:PORT/",
        "http://①②⑦.⓪.⓪.①:PORT/",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
        "http://%31%32%37.%30.%30.%31:PORT/",
        "http://0177.1:PORT/",
        "http://0:PORT/",
        "http://00:PORT/",
        "http://0x0:PORT/",
        "http://127.1:PORT/",
        "http://127.0.1:PORT/",
        "http://017700000001:PORT/",
        "http://0x7f.1:PORT/",
        "http://0x7f000001:PORT/",
        "http://[::1%25lo]:PORT/",
        "http://[fe80::1%25eth0]:PORT/",
        "http://[::ffff:7f00:1%25lo]:PORT/",
        "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
        "http:127.0.0.1:PORT/",
        "http:///127.0.0.1:PORT/",
        "//127.0.0.1:PORT/",
        "127.0.0.1:PORT/",
        "HTTP://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT/?next=http://public.test",
        "https://127.0.0.1:PORT/",
        "https://[::1]:PORT/",
        "https://inside.test:PORT/",
    )
