"""How likely a piece of text is under each legacy encoding: the judgement behind ``encodings``.

A single-byte code page gives every byte some letter, so the letters are weighed: a reading is as likely as its
letters are frequent in the language that suits them best. East Asian encodings are weighed by how many
characters belong to the everyday part of their standard.
"""

from __future__ import annotations

import math
import re

from apps.vault.contact_import.letters import LANGUAGES

_UNLIKELY = math.log(1e-5)
# More unreadable bytes than this, and it is another encoding.
_DAMAGED_SHARE = 0.1

# Tried in this order; on equal likelihood the earlier one wins.
SINGLE_BYTE = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
    "iso8859_15", "iso8859_2", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_13", "iso8859_16",
    "koi8_u", "mac_roman", "mac_latin2", "mac_cyrillic", "mac_greek", "mac_turkish",
    "cp850", "cp852", "cp866", "cp857", "cp775", "cp737", "cp862",
)  # fmt: skip
_DOS = ("cp850", "cp852", "cp866", "cp857", "cp775", "cp737", "cp862")
EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "cp949", "big5")


def scores(sample: bytes) -> dict[str, float]:
    """Mean log-likelihood per byte outside ASCII of every encoding that can read the sample."""
    scores: dict[str, float] = {}
    high = sum(1 for byte in sample if byte >= 0x80)
    for encoding in (*SINGLE_BYTE, *EAST_ASIAN):
        text = sample.decode(encoding, "replace")
        damaged = text.count("\ufffd")
        if damaged <= max(2, high * _DAMAGED_SHARE):
            judge = _east_asian if encoding in EAST_ASIAN else _letters
            scores[encoding] = (judge(text, encoding) + damaged * _UNLIKELY - _rarity(encoding)) / high
    return scores


def _rarity(encoding: str) -> float:
    """How much less often files come in this encoding, as a logarithm: it decides between equals only."""
    if encoding == "cp1252":
        return 0.0
    return 3.0 if encoding.startswith("mac_") or encoding in _DOS else 1.0


# A quotation mark, dash or sign may stand anywhere; more of them than letters speaks against a reading.
_PUNCTUATION = dict.fromkeys("–—‘’“”„«»…", 0.002) | dict.fromkeys("€£§°·№¿¡©®™ºª\xa0", 0.001)
_OUT_OF_PLACE = math.log(0.02)
_AFTER_LOWER = re.compile(r"[a-zß-öø-ÿа-яα-ω][^\W\d_a-z]")
_TWO_SCRIPTS = re.compile(r"[A-Za-zß-ÿ][\u0370-\u0fff]|[\u0370-\u0fff][A-Za-zß-ÿ]")


def _letters(text: str, encoding: str) -> float:
    """Log-likelihood of the letters outside ASCII in the language that fits them best."""
    counts: dict[str, int] = {}
    for letter in text:
        if letter >= "\x80":
            counts[letter] = counts.get(letter, 0) + 1
    floor = math.exp(_UNLIKELY)
    best = max(
        sum(number * math.log(max(shares.get(letter, 0.0), _PUNCTUATION.get(letter, 0.0), floor))
            for letter, number in counts.items() if letter != "\ufffd")
        for shares in LANGUAGES.values()
    )  # fmt: skip
    # A capital right after a small letter ("MÜller", "иВАН") or two scripts in one word mark a wrong code page.
    out_of_place = sum(1 for pair in _AFTER_LOWER.findall(text) if pair[1].isupper()) + len(_TWO_SCRIPTS.findall(text))
    return best + _OUT_OF_PLACE * out_of_place


def _east_asian(text: str, encoding: str) -> float:
    """Log-likelihood of the characters, from the size of the everyday set each belongs to."""
    total = 0.0
    for letter in text:
        if letter >= "\x80" and letter != "\ufffd":
            total += _character(letter, encoding)
    return total


def _character(letter: str, encoding: str) -> float:
    japanese = encoding in ("cp932", "euc_jp")
    if "\u3040" <= letter <= "\u30ff":
        return math.log(1 / 150) if japanese else 2 * _UNLIKELY
    if "\uac00" <= letter <= "\ud7a3":
        return math.log(1 / 1200) if _everyday(letter, encoding) else 1.5 * _UNLIKELY
    if "\u4e00" <= letter <= "\u9fff":
        chinese = encoding != "cp949"  # Korean names are no longer written in Chinese characters
        return math.log(1 / 3000) if chinese and _everyday(letter, encoding) else 1.5 * _UNLIKELY
    if "\uff61" <= letter <= "\uff9f":
        return math.log(1 / 300) if japanese else 2 * _UNLIKELY
    if "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uffef":
        return math.log(1 / 300)
    return 2 * _UNLIKELY


# Lead bytes of the first level of each standard (of KS X 1001: its syllables).
_FIRST_LEVEL = {
    "cp932": (0x88, 0x98), "euc_jp": (0xB0, 0xCF), "gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6),
    "cp949": (0xB0, 0xC8),
}  # fmt: skip


def _everyday(letter: str, encoding: str) -> bool:
    """Is it a character of the standard's first level, where the everyday ones stand?"""
    try:
        code = letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    if len(code) != 2:
        return False
    first, last = _FIRST_LEVEL[encoding]
    return first <= code[0] <= last and (code[1] >= 0xA1 or encoding in ("cp932", "big5"))
