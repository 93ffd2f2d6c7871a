"""``manage.py import_contacts``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.accounts.jobs import running as jobs
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.vault.contact_import import chunks
from apps.vault.models import AuditEntry, Contact, ContactImport
from tests.factories import make_account, make_contact
from tests.vault.contact_import.importing import a_csv, contacts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-11")]

GOOD = a_csv(["Zoë", "zoe@mail.example", "07700 900142", "HP-1", "Hull"], ["Ben", "ben@mail.example", "", "", ""])
SOME_BAD = GOOD + b"Call,zed@mail.example,call office,HP-9,Hull\n"


@pytest.fixture
def account() -> Account:
    return make_account("Harbour & Pine")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(GOOD)
    return path


def run(account: Account | str, file: Path, *options: str, out: Any = None) -> str:
    out = out or io.StringIO()
    name = account if isinstance(account, str) else account.slug
    call_command("import_contacts", name, str(file), *options, stdout=out, stderr=out)
    return str(out.getvalue())


def test_it_imports_tells_the_mapping_and_counts(account: Account, file: Path) -> None:
    said = run(account, file)
    assert "people.csv: 2 rows, UTF-8, comma between cells." in said
    assert "  E-mail  →  E-mail\n" in said
    assert "  City    →  Attribute: city\n" in said
    assert "2 rows: 2 added, 0 merged, 0 unchanged, 0 rejected." in said
    assert set(contacts(account)) == {"Zoë", "Ben"}
    assert "2 rows: 0 added, 0 merged, 2 unchanged, 0 rejected." in run(str(account.id), file)


def test_rejected_rows_are_written_and_the_exit_code_tells(account: Account, file: Path, tmp_path: Path) -> None:
    file.write_bytes(SOME_BAD)
    out = tmp_path / "rejected.csv"
    with pytest.raises(CommandError, match="1 of 3 rows were rejected") as ended:
        run(account, file, "--rejected", str(out))
    assert ended.value.returncode == 2
    assert out.read_text("utf-8-sig").splitlines()[1].startswith("Call,zed@mail.example,call office,HP-9,Hull,4,")
    assert out.stat().st_mode & 0o077 == 0
    assert set(contacts(account)) == {"Zoë", "Ben"}
    with pytest.raises(CommandError, match="exists already"):
        run(account, file, "--rejected", str(out))


def test_without_a_file_for_them_the_first_reasons_are_said(account: Account, file: Path) -> None:
    file.write_bytes(SOME_BAD)
    out = io.StringIO()
    with pytest.raises(CommandError):
        run(account, file, out=out)
    assert 'Row 4: Phone "call office" is not a number.' in out.getvalue()


def test_options_reach_the_import(account: Account, file: Path) -> None:
    make_contact(account, name="Known", email="anna@mail.example")
    file.write_bytes("A,B,C\nŻak,zak@mail.example,501 234 567\nŁ,anna@mail.example,\n".encode("iso8859_2"))
    options = ["--map", "A=name", "--map", "C=phone", "--region", "PL", "--encoding", "ISO-8859-2"]
    with pytest.raises(CommandError, match="1 of 2 rows"):
        run(account, file, *options, "--duplicates", "report")
    assert contacts(account)["Żak"]["phone"] == "+48501234567"


def test_a_dry_run_counts_everything_and_writes_nothing(
    account: Account, file: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    make_contact(account, name="Ben Okafor", email="ben@mail.example")
    file.write_bytes(SOME_BAD + b"Zo,zoe@mail.example,,,\n")
    out = tmp_path / "rejected.csv"
    with tenant(account):
        trail = AuditEntry.objects.count()
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of 4 rows"):
        run(account, file, "--dry-run", "--rejected", str(out), out=said)
    assert "4 rows: 1 would be added, 2 would be merged, 0 unchanged, 1 would be rejected." in said.getvalue()
    assert "call office" in out.read_text()
    assert list(contacts(account)) == ["Ben Okafor"]
    assert not list(settings.UPLOAD_DIR.glob("*/*"))
    with tenant(account):
        assert not Job.objects.filter(kind="contacts.import").exists()
        assert not ContactImport.objects.exists()
        assert AuditEntry.objects.count() == trail


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", [], "The file is empty."),
        (b"PK\x03\x04", [], "Excel"),
        (GOOD, ["--map", "Nope=name"], "no column “Nope”"),
        (GOOD, ["--map", "E-mail"], "COLUMN=FIELD"),
        (GOOD, ["--region", "UK"], "“UK” is no country"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_1(
    account: Account, file: Path, content: bytes, options: list[str], words: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(CommandError, match=words) as ended:
        run(account, file, *options)
    assert ended.value.returncode == 1
    assert contacts(account) == {}


def test_an_unknown_account_or_file_is_said(account: Account, file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No account has the slug or id “nobody”"):
        run("nobody", file)
    with pytest.raises(CommandError, match="No such file"):
        run(account, tmp_path / "missing.csv")


def test_a_terminal_sees_a_bar(account: Account, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("apps.accounts.management.progress._BAR_SECONDS", 0.0)
    said = run(account, file, out=Terminal())
    assert "█" in said
    assert "1 of 2 rows" in said


def test_a_worker_may_be_quicker(account: Account, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the job reached a worker before the command came to it: it watches instead."""
    real, calls = jobs.run, []

    def taken(account_id: Any, job_id: Any) -> str:
        calls.append(1)
        if len(calls) == 1:
            assert real(account_id, job_id) == Job.Status.DONE
            return "not due"
        return real(account_id, job_id)

    monkeypatch.setattr(jobs, "run", taken)
    assert "2 rows: 2 added" in run(account, file)


def test_a_stopped_command_leaves_no_job_behind(account: Account, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    real, calls = chunks.work, []

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(chunks, "work", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(account, file)
    with tenant(account):
        assert Job.objects.get(kind="contacts.import").status == Job.Status.CANCELLED
        assert Contact.objects.count() == 1
