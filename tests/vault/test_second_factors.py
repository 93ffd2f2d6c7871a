"""Secrets of second factors: bound to their person in the table, sealed in the session while they are set up."""

from __future__ import annotations

import pickle
import re
import time
from typing import Any

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.core import serializers
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.vault.keys import DecryptionFailed
from apps.vault.sessions import SECRETS, SessionStore
from tests.accounts.signin.people import SECRET, code, enrol
from tests.factories import PASSWORD, make_account, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-03", "V-01")]


def stored(factor: Authenticator) -> dict[str, Any]:
    return Authenticator.objects.values_list("data", flat=True).get(pk=factor.pk)


class TestTheTable:
    def test_a_secret_opens_for_its_person(self) -> None:
        user = make_user()
        enrol(user)
        assert Authenticator.objects.get(user=user).wrap().validate_code(code())
        assert len(RecoveryCodes.activate(user).get_unused_codes()) == 10
        again = Authenticator.objects.get(user=user, type="recovery_codes").wrap()
        first = again.get_unused_codes()[0]
        assert again.validate_code(first)
        assert first not in Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()

    def test_it_opens_for_nobody_else(self) -> None:
        """Somebody who can write the table puts their own factor into another person's row."""
        mallory, alice = make_user(), make_user()
        theirs, hers = enrol(mallory), totp.TOTP.activate(alice, totp.generate_totp_secret()).instance
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE mfa_authenticator SET data = (SELECT data FROM mfa_authenticator WHERE id = %s) WHERE id = %s",
                [theirs.pk, hers.pk],
            )
        with pytest.raises(DecryptionFailed):
            Authenticator.objects.get(pk=hers.pk).wrap().validate_code(code())
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM mfa_authenticator WHERE id = %s", [hers.pk])
            cursor.execute("UPDATE mfa_authenticator SET user_id = %s WHERE id = %s", [alice.pk, theirs.pk])
        with pytest.raises(DecryptionFailed):
            Authenticator.objects.get(pk=theirs.pk).wrap().validate_code(code())

    def test_it_opens_as_no_other_kind_of_factor(self) -> None:
        user = make_user()
        factor = enrol(user)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE mfa_authenticator SET type = 'recovery_codes', "
                "data = jsonb_build_object('seed', data->'secret', 'used_mask', 0) WHERE id = %s",
                [factor.pk],
            )
        with pytest.raises(DecryptionFailed):
            Authenticator.objects.get(pk=factor.pk).wrap().get_unused_codes()

    def test_a_row_given_to_somebody_else_is_refused_before_it_is_saved(self) -> None:
        factor = enrol(make_user())
        factor.user = make_user()
        with pytest.raises(DecryptionFailed):
            factor.save()

    def test_using_and_saving_it_again_changes_nothing(self) -> None:
        factor = enrol(make_user())
        before = stored(factor)
        factor.record_usage()
        loaded = Authenticator.objects.get(pk=factor.pk)
        loaded.save()
        assert stored(factor) == before
        assert SECRET not in str(before)
        assert loaded.wrap().validate_code(code())

    def test_codes_taken_over_from_elsewhere_are_sealed_one_by_one(self) -> None:
        from allauth.mfa.utils import encrypt

        user = make_user()
        codes = [encrypt("11111111"), encrypt("22222222")]
        factor = Authenticator.objects.create(user=user, type="recovery_codes", data={"migrated_codes": codes})
        assert "1111" not in str(stored(factor))
        assert Authenticator.objects.get(pk=factor.pk).wrap().validate_code("22222222")
        assert Authenticator.objects.get(pk=factor.pk).wrap().get_unused_codes() == ["11111111"]

    def test_it_is_loaded_in_every_way(self) -> None:
        factor = enrol(make_user())
        for found in (
            Authenticator.objects.defer("data").get(pk=factor.pk),
            Authenticator.objects.only("id").get(pk=factor.pk),
            pickle.loads(pickle.dumps(Authenticator.objects.get(pk=factor.pk))),
            next(serializers.deserialize("json", serializers.serialize("json", [factor]))).object,
        ):
            assert found.wrap().validate_code(code())


class TestTheSession:
    @pytest.fixture
    def user(self) -> User:
        user = make_user()
        make_account(owner=user)
        return user

    def setting_up(self, user: User) -> tuple[Client, str]:
        """A client that looks at the page with the secret, and the secret."""
        client = Client()
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        page = client.get("/accounts/2fa/totp/activate/").content.decode()
        found = re.search(r"secret=([A-Z2-7]{32})", page) or re.search(r"\b([A-Z2-7]{32})\b", page)
        assert found, page
        return client, found.group(1)

    def test_the_secret_lies_nowhere_in_clear(self, user: User, settings: Any) -> None:
        _, secret = self.setting_up(user)
        rows = [session.get_decoded() for session in Session.objects.all()]
        [kept] = [row["mfa.totp.secret"] for row in rows if "mfa.totp.secret" in row]
        assert kept != secret
        server = redis.Redis.from_url(settings.REDIS_URL)
        dumps = b"".join(server.get(key) or b"" for key in server.scan_iter("*sessions*"))
        assert kept.encode() in dumps
        assert secret.encode() not in dumps

    def test_it_can_be_set_up(self, user: User) -> None:
        client, secret = self.setting_up(user)
        shown = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
        client.post("/accounts/2fa/totp/activate/", {"code": shown})
        factor = Authenticator.objects.get(user=user, type="totp")
        assert totp.decrypt(factor.data["secret"]) == secret
        assert all("mfa.totp.secret" not in session.get_decoded() for session in Session.objects.all())

    def test_in_another_persons_session_it_is_not_there(self) -> None:
        """Somebody who can write sessions plants a secret of their own."""
        mine, hers = SessionStore(), SessionStore()
        mine["_auth_user_id"], hers["_auth_user_id"] = "mallory", "alice"
        mine["mfa.totp.secret"] = SECRET
        hers._session["mfa.totp.secret"] = mine._session["mfa.totp.secret"]
        assert mine["mfa.totp.secret"] == SECRET
        assert hers["mfa.totp.secret"] is None
        assert hers.get("mfa.totp.secret", "none") == "none"
        hers._session["mfa.totp.secret"] = SECRET
        assert hers.get("mfa.totp.secret") is None, "nor is one in clear"

    @pytest.mark.parametrize("way", ["set", "setdefault", "update", "aset"])
    def test_every_way_of_writing_seals(self, way: str) -> None:
        from tests.event_loops import synchronously

        [name] = SECRETS
        session = SessionStore()
        match way:
            case "set":
                session[name] = SECRET
            case "setdefault":
                session.setdefault(name, SECRET)
            case "update":
                session.update({name: SECRET, "other": 1})
            case "aset":
                synchronously(session.aset)(name, SECRET)
        assert session._session[name] != SECRET
        assert session[name] == session.get(name) == synchronously(session.aget)(name) == SECRET
        assert session.pop(name) == SECRET
        assert session.pop(name, None) is None
        with pytest.raises(KeyError):
            session.pop(name)

    def test_everything_else_is_as_in_djangos(self) -> None:
        session = SessionStore()
        session["plain"] = "text"
        assert (session._session["plain"], session["plain"], session.get("none", 3)) == ("text", "text", 3)
