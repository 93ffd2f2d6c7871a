"""Letters for the tests of word search: written, looked for, and their key changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import tink
from tink import prf, proto_keyset_format, secret_key_access
from tink.proto import tink_pb2

from apps.vault.keys import forget_keys, master_key
from apps.vault.keys.account_keys import _associated
from apps.vault.messages import fill_contents, search
from apps.vault.models import AccountKeyset
from tests.vault.messages.letters.models import Letter


def write(*texts: str, folder: str = "in") -> list[UUID]:
    letters = [Letter(folder=folder) for _ in texts]
    fill_contents(zip(letters, texts, strict=True))
    Letter.objects.bulk_create(letters)
    return [letter.pk for letter in letters]


def everything(query: str, **options: Any) -> list[UUID]:
    """The ids of all pages, in order."""
    found: list[UUID] = []
    before = None
    while True:
        page = search(Letter, query, before=before, **options)
        found += [hit.id for hit in page.hits]
        if page.next is None:
            return found
        before = page.next


def rotate_index_key(account_id: UUID) -> None:
    """Another index key beside the one in use, and primary, as a rotation begins."""
    row = AccountKeyset.objects.get(account_id=account_id)
    place = _associated(account_id, "index")
    old = tink_pb2.Keyset.FromString(master_key().unwrap(bytes(row.wrapped_index), place))
    fresh = tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256)
    new = tink_pb2.Keyset.FromString(proto_keyset_format.serialize(fresh, secret_key_access.TOKEN))
    old.key.extend(new.key)
    old.primary_key_id = new.primary_key_id
    row.wrapped_index = master_key().wrap(old.SerializeToString(), place)
    row.save()
    forget_keys(account_id)
