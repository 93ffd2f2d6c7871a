"""Keys: kept from others, wrapped by the right master key alone, bounded in memory, rotatable."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import tink
from tink import aead, prf, proto_keyset_format, secret_key_access

from apps.vault.keys import DecryptionFailed, Sealed, master_key, new_wrapped_keys, open_keys
from apps.vault.keys.account_keys import AccountKeys, KeyCache
from apps.vault.keys.master import create_local_file, forget_master_key, new_document

pytestmark = pytest.mark.covers("V-01")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget_master_key()
    yield
    forget_master_key()


def opened(settings: Any, uri: str) -> Any:
    settings.VAULT_MASTER_KEY_URI = uri
    forget_master_key()
    return master_key()


class TestMasterKeys:
    def test_a_file_is_made_for_its_owner_alone(self, settings: Any, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "master.json"
        create_local_file(path)
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(FileExistsError):
            create_local_file(path)
        key = opened(settings, f"local://{path}")
        assert key.unwrap(key.wrap(b"secret", b"place"), b"place") == b"secret"

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644])
    def test_a_file_open_to_others_is_refused(self, settings: Any, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "master.json"
        create_local_file(path)
        path.chmod(mode)
        with pytest.raises(Sealed, match="open to others"):
            opened(settings, f"local://{path}")

    @pytest.mark.parametrize("content", ["", "{}", "not json", '{"keyset": {}, "derivation_key": "eA=="}'])
    def test_a_file_with_something_else_is_refused(self, settings: Any, tmp_path: Path, content: str) -> None:
        path = tmp_path / "master.json"
        path.write_text(content)
        path.chmod(0o600)
        with pytest.raises(Sealed, match="does not hold a Strongroom master key"):
            opened(settings, f"local://{path}")

    def test_a_missing_file_is_refused(self, settings: Any, tmp_path: Path) -> None:
        with pytest.raises(Sealed, match="can't be read"):
            opened(settings, f"local://{tmp_path}/none")

    def test_the_environment_may_hold_a_document_or_raw_bytes(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for text in (new_document(), base64.b64encode(os.urandom(32)).decode()):
            monkeypatch.setenv("TEST_MASTER", text)
            key = opened(settings, "env://TEST_MASTER")
            assert key.unwrap(key.wrap(b"secret", b"place"), b"place") == b"secret"
            derived = key.derive(b"x")
            assert opened(settings, "env://TEST_MASTER").derive(b"x") == derived
            assert len(derived) == 32
        (tmp_path / "key").write_text(new_document())
        monkeypatch.delenv("TEST_MASTER")
        monkeypatch.setenv("TEST_MASTER_FILE", str(tmp_path / "key"))
        assert opened(settings, "env://TEST_MASTER").derive(b"x") != derived

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "holds no master key"),
            ("not base64!", "neither a master key document nor Base64"),
            (base64.b64encode(b"short").decode(), "must be 32 bytes"),
        ],
    )
    def test_the_environment_says_what_is_wrong(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, text: str, words: str
    ) -> None:
        monkeypatch.setenv("TEST_MASTER", text)
        with pytest.raises(Sealed, match=words):
            opened(settings, "env://TEST_MASTER")

    def test_no_or_an_unknown_address_is_sealed(self, settings: Any) -> None:
        for uri in ("", "magic://x", "no-scheme"):
            with pytest.raises(Sealed):
                opened(settings, uri)

    def test_the_wrong_master_key_opens_nothing(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        owner = uuid4()
        monkeypatch.setenv("ONE", new_document())
        monkeypatch.setenv("TWO", new_document())
        wrapped = new_wrapped_keys(owner, opened(settings, "env://ONE"))
        assert open_keys(owner, wrapped, opened(settings, "env://ONE"))
        with pytest.raises(Sealed, match="not the master key"):
            open_keys(owner, wrapped, opened(settings, "env://TWO"))

    def test_keys_of_one_account_do_not_open_in_the_name_of_another(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONE", new_document())
        key = opened(settings, "env://ONE")
        with pytest.raises(Sealed):
            open_keys(uuid4(), new_wrapped_keys(uuid4(), key), key)

    def test_it_never_prints_itself(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        document = new_document()
        monkeypatch.setenv("ONE", document)
        key = opened(settings, "env://ONE")
        assert repr(key) == "<master key env://ONE>"
        owner = uuid4()
        assert repr(open_keys(owner, new_wrapped_keys(owner, key), key)) == f"<keys of {owner}>"


def _keys(handles: dict[str, tink.KeysetHandle] | None = None) -> AccountKeys:
    from tink import daead

    given = handles or {}
    fresh = {
        "aead": aead.aead_key_templates.AES256_GCM,
        "daead": daead.deterministic_aead_key_templates.AES256_SIV,
        "index": prf.prf_key_templates.HMAC_SHA256,
    }
    handle = {name: given.get(name) or tink.new_keyset_handle(template) for name, template in fresh.items()}
    return AccountKeys(
        uuid4(),
        handle["aead"].primitive(aead.Aead),
        handle["daead"].primitive(daead.DeterministicAead),
        handle["index"].primitive(prf.PrfSet),
    )


def _rotated(handle: tink.KeysetHandle, template: Any) -> tink.KeysetHandle:
    """The same keyset with another key added and made primary."""
    from tink.proto import tink_pb2

    def keyset(of: tink.KeysetHandle) -> tink_pb2.Keyset:
        return tink_pb2.Keyset.FromString(proto_keyset_format.serialize(of, secret_key_access.TOKEN))

    old, new = keyset(handle), keyset(tink.new_keyset_handle(template))
    old.key.extend(new.key)
    old.primary_key_id = new.primary_key_id
    return proto_keyset_format.parse(old.SerializeToString(), secret_key_access.TOKEN)


class TestAccountKeys:
    def test_a_rotated_keyset_still_decrypts_and_still_finds(self) -> None:
        aead_template, prf_template = aead.aead_key_templates.AES256_GCM, prf.prf_key_templates.HMAC_SHA256
        first = {"aead": tink.new_keyset_handle(aead_template), "index": tink.new_keyset_handle(prf_template)}
        before = _keys(first)
        sealed, index = before.encrypt(b"value", b"place"), before.blind_index(b"t.c", "value")
        after = _keys({"aead": _rotated(first["aead"], aead_template), "index": _rotated(first["index"], prf_template)})
        assert after.decrypt(sealed, b"place") == b"value"
        assert after.encrypt(b"value", b"place")[:5] != sealed[:5]
        assert before.blind_indexes(b"t.c", "value") == [index]
        found = after.blind_indexes(b"t.c", "value")
        assert found[0] == after.blind_index(b"t.c", "value") != index
        assert len(found) == 2
        assert index in found

    def test_another_accounts_keys_open_nothing(self) -> None:
        sealed = _keys().encrypt(b"value", b"place")
        with pytest.raises(DecryptionFailed):
            _keys().decrypt(sealed, b"place")

    def test_the_cache_is_bounded_in_number_and_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cache, keys = KeyCache(most=3, seconds=60), [_keys() for _ in range(5)]
        for key in keys:
            cache.put(key)
        assert [cache.get(key.owner) is not None for key in keys] == [False, False, True, True, True]
        cache.get(keys[2].owner)
        cache.put(keys[0])
        assert cache.get(keys[2].owner) is not None, "what was used last goes last"
        assert cache.get(keys[3].owner) is None
        later = time.monotonic() + 61
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert cache.get(keys[2].owner) is None
        cache.forget()
        assert cache.get(keys[0].owner) is None
