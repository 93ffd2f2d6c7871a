"""From words to the numbers that lie in the database.

A word's number is 64 bits of HMAC-SHA256 under a key that is derived from the account's index key, put together of
four hashes: of its first three letters (16 bits), of its first five (16), of its first eight (12), and of all (20).
So a word is found by ``=``, and the words with one beginning are a range: a prefix costs no row of its own. What two
words that begin alike share thereby is told in docs/security-model.md. Numbers that fall together by chance cost a
decryption, never a wrong answer: every hit is read before it is shown.
"""

from __future__ import annotations

import hmac
import weakref
from collections import OrderedDict
from threading import Lock
from typing import Any
from uuid import UUID

from apps.vault.keys import AccountKeys, account_keys
from apps.vault.messages.words import MOST_CHUNKS, PREFIX_LEVELS, analyse, chunks, is_spaceless, normal

PURPOSE = b"search words 1"
MOST_WORDS = 20_000
"""How many pieces of text an account's cache holds before it begins anew."""
MOST_ACCOUNTS = 16
_BITS = (16, 16, 12, 20)


class WordHasher:
    """Words to numbers under one key, with a memory: a text costs one look-up for each of its pieces."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, _Known] = {}
        self._numbers: dict[str, int] = {}
        self.plans: dict[Any, Any] = {}
        """What ``planning.remembered`` made of queries under this key alone."""

    def number(self, word: str) -> int:
        """The number of a word: signed, as PostgreSQL's bigint."""
        found = self._numbers.get(word)
        if found is None:
            found = self._number(word)
            if len(self._numbers) >= MOST_WORDS:
                self._numbers.clear()
            if len(word) <= _REMEMBERED:
                self._numbers[word] = found
        return found

    def _number(self, word: str) -> int:
        first, second, third = _levels(word)
        number = self._hash(b"3", word[:first], 16) << 48
        number |= self._hash(b"5", word[:second], 16) << 32
        number |= self._hash(b"8", word[:third], 12) << 20
        number |= self._hash(b"w", word, 20)
        return _signed(number)

    def span(self, start: str) -> tuple[int, int]:
        """The lowest and the highest number of words that begin so, and of some others.

        Beginnings of letters alone go by five at most: the indexed stem of a longer word may have lost the sixth.
        """
        first, second, third = _levels(start)
        number, free = self._hash(b"3", start[:first], 16) << 48, 48
        if len(start) >= second and not is_spaceless(start):
            number, free = number | self._hash(b"5", start[:second], 16) << 32, 32
            if len(start) >= third and not start.isalpha():
                number, free = number | self._hash(b"8", start[:third], 12) << 20, 20
        return _signed(number), _signed(number | (1 << free) - 1)

    def numbers(self, text: str, language: str) -> list[int]:
        """The distinct numbers that ``text`` is indexed by."""
        known = self._known.get(language)
        if known is None:
            known = self._known[language] = _Known(self, language)
        text = normal(text)
        # No chunk reaches over white space, and none is followed by another at once: these have no more than counts.
        pieces = text.split() if len(text) < 2 * MOST_CHUNKS else chunks(text)[:MOST_CHUNKS]
        return list(set().union(*map(known.__getitem__, pieces)))

    def _hash(self, level: bytes, word: str, bits: int) -> int:
        digest = hmac.digest(self._key, level + word.encode("utf-8", "surrogatepass"), "sha256")
        return int.from_bytes(digest[:4]) >> 32 - bits


_REMEMBERED = 40
"""Letters of a piece that may come again; longer ones hardly do."""


class _Known(dict[str, tuple[int, ...]]):
    """The numbers of all words in a piece of text between white space, made when it is first asked for."""

    def __init__(self, hasher: WordHasher, language: str) -> None:
        super().__init__()
        self.number, self.language = hasher.number, language

    def __missing__(self, piece: str) -> tuple[int, ...]:
        words = (word for chunk in chunks(piece) for word in analyse(chunk, self.language).indexed)
        numbers = tuple(map(self.number, words))
        if len(piece) <= _REMEMBERED:
            if len(self) >= MOST_WORDS:
                self.clear()
            self[piece] = numbers
        return numbers


def _levels(word: str) -> tuple[int, int, int]:
    return (1, 2, 2) if is_spaceless(word) else PREFIX_LEVELS  # type: ignore[return-value]


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


_hashers: OrderedDict[UUID, tuple[weakref.ref[AccountKeys], list[WordHasher]]] = OrderedDict()
_lock = Lock()


def hashers(account_id: UUID) -> list[WordHasher]:
    """Under the account's current index key, then under those being rotated out.

    They last as long as the open keys that they were derived from, for the accounts that were used last.
    Raises Sealed, DecryptionFailed (as ``account_keys``).
    """
    keys = account_keys(account_id)
    held = _hashers.get(account_id)
    if held is not None and held[0]() is keys:
        return held[1]
    made = [WordHasher(key) for key in keys.derived(PURPOSE)]

    def forget(gone: weakref.ref[AccountKeys]) -> None:
        now = _hashers.get(account_id)
        if now is not None and now[0] is gone:
            _hashers.pop(account_id, None)

    with _lock:
        _hashers[account_id] = weakref.ref(keys, forget), made
        _hashers.move_to_end(account_id)
        while len(_hashers) > MOST_ACCOUNTS:
            _hashers.popitem(last=False)
    return made
