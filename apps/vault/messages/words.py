"""From a text to the words it is found by. Pure: no keys, no database.

A text is brought into one way of writing (NFKC, case folded, accents off) and cut into *chunks*: what stands between
white space and punctuation, with the marks that hold it together (``e-mail``, ``1,234.50``, ``ann@shop.example``).
Each chunk gives

* *parts*, in order: what a phrase is compared with. Chinese, Japanese, Korean, Thai and their like, which put no
  space between words, count each letter as a part and are indexed by pairs of letters;
* *wholes*: other ways of asking for a chunk of several parts (``email``, ``1234.5``, the address, its domain);
* *stems* of both, by Snowball, without the language's stop words;
* what is *indexed*: the stems, and a word itself where a prefix of it could not be found by its stem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import snowballstemmer

from apps.vault.messages.stop_words import stop_words

LONGEST = 64
"""Letters of a word that count: what differs only after them is the same word."""
MOST_CHUNKS = 5_000
"""How much of a text is indexed: chunks beyond are not found."""
PREFIX_LEVELS = (3, 5, 8)
"""Lengths of beginnings that the index tells apart (see ``hashing``)."""
DEFAULT_LANGUAGE = "english"

# Accents, Hebrew points, Arabic vowel signs and the stretching sign. Not the marks of Indic scripts, which are vowels.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]+")
_BASE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
# Letters and digits, with the vowel signs from Devanagari to Myanmar and of Khmer, which Python's \w leaves out.
_LETTER = "\\w\u0900-\u0963\u0966-\u109f\u1780-\u17d3"
_CHUNK = re.compile(f"[{_LETTER}]+(?:(?:[.'’@&+\\-‐‑]|(?<=\\d),(?=\\d))[{_LETTER}]+)*")
_BORDER = re.compile("[.,'’@&+\\-‐‑_]+")
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{_SPACELESS}]+|[^{_SPACELESS}]+")
_IS_SPACELESS = re.compile(f"[{_SPACELESS}]")
_NUMBER = re.compile(r"\d+(?:[.,'’]\d+)+")


class Chunk(NamedTuple):
    """What one chunk of a text is found by."""

    parts: tuple[str, ...]
    wholes: tuple[str, ...]
    stems: tuple[str, ...]
    indexed: tuple[str, ...]


def normal(text: str) -> str:
    """``text`` in the one way of writing that is compared."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).translate(_BASE)


chunks: Callable[[str], list[str]] = _CHUNK.findall
"""The chunks of a text that is ``normal`` already, in order."""


def is_spaceless(word: str) -> bool:
    """Whether the word is of a script that is indexed by pairs of letters."""
    return _IS_SPACELESS.match(word) is not None


def languages() -> list[str]:
    """The languages whose endings are known."""
    return sorted(snowballstemmer.algorithms())


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    stem: Callable[[str], str] = snowballstemmer.stemmer(language).stemWord
    return stem


@lru_cache(maxsize=20_000)
def stem(word: str, language: str) -> str:
    """The word without its ending. Numbers, codes and addresses have none."""
    return _stemmer(language)(word) if word.isalpha() and not is_spaceless(word) else word


def analyse(chunk: str, language: str) -> Chunk:
    """What a chunk of ``normal`` text is found by. Raises KeyError for an unknown language."""
    return _known(language)[chunk]


MOST_KNOWN = 20_000
"""Chunks of a language that a process remembers before it begins anew."""


class _Known(dict[str, Chunk]):
    """Chunks of one language, analysed when first asked for: a hit costs no call into Python."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    def __missing__(self, chunk: str) -> Chunk:
        found = _analyse(chunk, self.language)
        if len(chunk) <= LONGEST:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[chunk] = found
        return found


_known = cache(_Known)


def _analyse(chunk: str, language: str) -> Chunk:
    parts, wholes = _forms(chunk)
    stopped = stop_words(language)
    words = [word for word in (*parts, *wholes) if word not in stopped and not is_spaceless(word)]
    stems = [stem(word, language) for word in words]
    indexed = [*stems, *(word for word, short in zip(words, stems, strict=True) if word[:5] != short[:5])]
    indexed += pairs(parts)
    return Chunk(parts, wholes, tuple(dict.fromkeys(stems)), tuple(dict.fromkeys(indexed)))


def _forms(chunk: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Parts and wholes."""
    if _NUMBER.fullmatch(chunk):
        return (_number(chunk)[:LONGEST],), ()
    pieces = [piece for piece in _BORDER.split(chunk) if piece]
    if _IS_SPACELESS.search(chunk):
        return tuple(letter for piece in pieces for letter in _letters(piece)), ()
    parts = tuple(piece[:LONGEST] for piece in pieces)
    if len(pieces) < 2:
        return parts, ()
    if "@" in chunk:
        domain = chunk.rpartition("@")[2]
        wholes = (chunk, domain) if "." in domain else (chunk,)
    elif "." in chunk:
        wholes = (chunk, chunk[4:]) if chunk.startswith("www.") else (chunk,)
    else:
        wholes = ("".join(pieces),)
    return parts, tuple(whole[:LONGEST] for whole in wholes)


def _letters(piece: str) -> Iterable[str]:
    for run in _RUNS.findall(piece):
        if is_spaceless(run):
            yield from run
        else:
            yield run[:LONGEST]


def _number(chunk: str) -> str:
    """A number without what parts its thousands, and with a point before its fraction."""
    digits = re.split("[.,'’]", chunk)
    marks = re.findall("[.,'’]", chunk)
    if len(set(marks)) == 2 and marks[-1] not in marks[:-1]:
        return f"{''.join(digits[:-1])}.{digits[-1]}"  # 1,234.50 and 1.234,50
    thousands = all(len(group) == 3 for group in digits[1:])
    if thousands and (len(marks) > 1 or marks[0] != "."):
        return "".join(digits)
    return ".".join(digits)


def pairs(parts: Iterable[str]) -> list[str]:
    """The pairs of neighbours among letters without spaces, and the last letter of each run by itself."""
    found: list[str] = []
    for one, other in pairwise([*parts, ""]):
        if is_spaceless(one):
            found.append(one + other if other and is_spaceless(other) else one)
    return found


@lru_cache(maxsize=1_000)
def _standing(stem: str) -> re.Pattern[str]:
    """Letters that begin with ``stem``, between white space or plain punctuation."""
    return re.compile(rf"(?<!\S){re.escape(stem)}[^\W\d_]*(?=[,;:!?)]|\.?(?:\s|$))")


class Reading:
    """A text as queries look at it: made once, asked by each leaf of the query."""

    def __init__(self, text: str, language: str) -> None:
        self.text = normal(text)
        self.known = _known(language)

    @cached_property
    def chunks(self) -> list[str]:
        """The chunks of the text, in order."""
        return chunks(self.text)

    def has(self, stem: str) -> bool:
        """Whether a word has this stem."""
        return self.chunk_with(stem) is not None

    def chunk_with(self, stem: str) -> str | None:
        """A chunk with this stem, the first but for those that stand between white space; None without one."""
        known = self.known
        if stem.isalpha():
            # Most hits hold it between spaces, where it is a chunk for certain: no need to cut up the rest.
            for match in _standing(stem).finditer(self.text):
                if stem in known[match[0]].stems:
                    return match[0]
        return next((chunk for chunk in self.chunks if stem in known[chunk].stems), None)

    def begins(self, start: str) -> bool:
        """Whether a word begins so."""
        found = (self.known[chunk] for chunk in self.chunks)
        return any(word.startswith(start) for chunk in found for word in (*chunk.parts, *chunk.wholes))

    def says(self, phrase: tuple[str, ...]) -> bool:
        """Whether these parts stand side by side."""
        parts = [part for chunk in self.chunks for part in self.known[chunk].parts]
        first, size = phrase[0], len(phrase)
        places = (at for at, part in enumerate(parts) if part == first)
        return any(tuple(parts[at : at + size]) == phrase for at in places)


MOST_WRITINGS = 8


def reader(stem: str, language: str) -> Callable[[str], bool]:
    """Tells whether a text has a word with this stem. It remembers how the word was written in the texts before.

    Letters that are a chunk in one text are one in every text that has them between two spaces.
    """
    writings: list[str] = []

    def has(text: str) -> bool:
        spaced = f" {text.lower() if text.isascii() else normal(text)} "
        for writing in writings:
            if writing in spaced:
                return True
        chunk = Reading(text, language).chunk_with(stem)
        if chunk is not None and chunk.isalpha() and len(writings) < MOST_WRITINGS:
            writings.append(f" {chunk} ")
        return chunk is not None

    return has


def indexed_words(text: str, language: str) -> set[str]:
    """All that ``text`` is indexed by."""
    found = chunks(normal(text))[:MOST_CHUNKS]
    return {word for chunk in found for word in analyse(chunk, language).indexed}
