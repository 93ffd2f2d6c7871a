"""Which encoding the bytes of a text file are in.

A byte-order mark or the pattern of zero bytes settles UTF-16 and UTF-32; whether the multi-byte sequences
are well formed settles UTF-8. What is left is a legacy code page, and there a file of names is hard: few
bytes lie outside ASCII. So every common code page is tried and the reading whose letters are likeliest in
some language wins; ``charset-normalizer`` is asked when no reading is convincing.

The judgement is made on the lines that hold bytes outside ASCII, wherever in the file they are: a list may
begin with ten thousand plain English names before its first "Müller".
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field

import charset_normalizer

from apps.vault.contact_import.likelihood import EAST_ASIAN, SINGLE_BYTE, scores

SAMPLE_BYTES = 32 * 1024
# With no more stray bytes than whole sequences it is still UTF-8 with damaged rows: in other encodings there are more
# (1.6 times as many at least, in lists of a few names in 21 languages; Thai and Chinese come closest).
_UTF8_DAMAGED_SHARE = 1.0
_CONVINCING = -8.0

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_UNICODE = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
ENCODINGS = (*_UNICODE, *SINGLE_BYTE, *EAST_ASIAN, "iso2022_jp")

NAMES = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32", "cp1252": "Windows-1252 (Western)", "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)", "cp1253": "Windows-1253 (Greek)", "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)", "cp1256": "Windows-1256 (Arabic)", "cp1257": "Windows-1257 (Baltic)",
    "cp1258": "Windows-1258 (Vietnamese)", "cp874": "Windows-874 (Thai)", "iso8859_15": "ISO 8859-15 (Western)",
    "iso8859_2": "ISO 8859-2 (Central European)", "mac_roman": "Mac Roman", "cp850": "DOS 850 (Western)",
    "cp852": "DOS 852 (Central European)", "cp866": "DOS 866 (Cyrillic)", "koi8_u": "KOI8 (Cyrillic)",
    "cp932": "Shift-JIS", "euc_jp": "EUC-JP", "iso2022_jp": "ISO-2022-JP", "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)", "cp949": "EUC-KR (Korean)",
}  # fmt: skip


def display_name(encoding: str) -> str:
    """The name people know an encoding by: "Windows-1252 (Western)"."""
    return NAMES.get(encoding, encoding.replace("_", "-").upper())


# What people and other software call the same thing, or a subset of it.
_SAME = {
    "iso8859-1": "cp1252", "ascii": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le",
    "shift_jis": "cp932", "gbk": "gb18030", "gb2312": "gb18030", "euc_kr": "cp949", "iso8859-9": "cp1254",
    "koi8-r": "koi8_u",
}  # fmt: skip


def known_encoding(name: str) -> str | None:
    """The encoding that ``name`` means here ("latin1" is read as its superset Windows-1252), or None."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    found = _SAME.get(found, found)
    return next((known for known in ENCODINGS if codecs.lookup(known).name == codecs.lookup(found).name), None)


@dataclass
class EncodingProbe:
    """Looks at a file block by block (``feed``), keeping a bounded sample, then names its encoding."""

    head: bytes = b""
    sample: bytearray = field(default_factory=bytearray)
    _rest: bytes = b""

    def feed(self, block: bytes) -> None:
        """Take the next block of the file, in order."""
        if len(self.head) < 4096:
            self.head += block[: 4096 - len(self.head)]
        if len(self.sample) >= SAMPLE_BYTES or (block.isascii() and not self._rest and b"\x1b" not in block):
            return
        lines = (self._rest + block).splitlines(keepends=True)
        self._rest = lines.pop() if lines and len(lines[-1]) < SAMPLE_BYTES else b""
        self._keep(lines)

    def _keep(self, lines: list[bytes]) -> None:
        for line in lines:
            if len(self.sample) >= SAMPLE_BYTES:
                return
            if not line.isascii() or b"\x1b$" in line:
                self.sample += line[:SAMPLE_BYTES]

    def encoding(self) -> str:
        """The Python name of the encoding. Never fails: the last resort is Windows-1252."""
        for mark, name in _MARKS:
            if self.head.startswith(mark):
                return name
        wide = _wide_without_mark(self.head)
        if wide:
            return wide
        self._keep([self._rest])
        return _of_sample(bytes(self.sample))


def mark_length(head: bytes) -> int:
    """How many bytes the byte-order mark at the start of ``head`` takes (0 without one)."""
    return next((len(mark) for mark, _ in _MARKS if head.startswith(mark)), 0)


def _wide_without_mark(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by its zero bytes: the delimiters and line ends at least are ASCII."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd + even < pairs * 0.1:
        return None
    if even > pairs * 0.3 and odd > pairs * 0.3:
        return "utf-32-le" if head[3:4] == b"\0" and head[0:1] != b"\0" else "utf-32-be"
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _of_sample(sample: bytes) -> str:
    if not sample:
        return "utf-8"
    if b"\x1b$" in sample:
        return "iso2022_jp"
    if _is_utf8(sample):
        return "utf-8"
    likelihood, encoding = max(
        ((score, name) for name, score in scores(sample).items()), key=lambda found: found[0], default=(-math.inf, "")
    )
    if likelihood >= _CONVINCING:
        return encoding
    best = charset_normalizer.from_bytes(sample).best()
    return known_encoding(best.encoding) or "cp1252" if best else "cp1252"


_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


def _is_utf8(sample: bytes) -> bool:
    whole = len(_SEQUENCE.findall(sample))
    damaged = sum(1 for byte in _SEQUENCE.sub(b"", sample) if byte >= 0x80)
    return damaged <= whole * _UTF8_DAMAGED_SHARE
