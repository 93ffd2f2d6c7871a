"""`make run`, by its own door: start, look, kill parts of it, end it in every way."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.product import Product

pytestmark = [pytest.mark.xdist_group("make-run"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Running, on a data folder that did not exist before, with the demo."""
    installation = Product(tmp_path_factory.mktemp("make-run") / "data")
    installation.start()
    yield installation
    installation.end()


def _wait_for(condition: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.covers("O-01")
def test_a_first_start_makes_everything_and_prints_the_log_ins(product: Product) -> None:
    output = product.output()
    for step in ("Making a PostgreSQL data folder", "Starting Valkey", "Bringing the database up to date"):
        assert step in output
    assert "Demo log-ins" in output
    assert (product.data / "demo.json").exists()
    assert product.pids("uvicorn")
    assert product.pids("config.celery worker")
    assert product.pids("config.celery beat")


def test_it_is_well_and_says_which_parts(product: Product) -> None:
    product.wait_until_well()
    status, kind, content = product.get("/health")
    assert (status, kind) == (200, "application/json")
    assert content == {
        "status": "ok",
        "checks": dict.fromkeys(("database", "cache", "broker", "workers", "vault"), "ok"),
    }
    assert product.get("/health/live")[0] == 200
    assert product.get("/health/ready")[0] == 200


def test_the_front_address_knows_machines_from_people(product: Product) -> None:
    assert product.get("/")[1:] == ("application/json", product.get("/health")[2])
    status, kind, _ = product.get("/", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (status, kind) == (200, "text/html")  # sent on to sign-in


def test_a_websocket_where_none_is_spoken_is_refused(product: Product) -> None:
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    client = HTTPConnection("127.0.0.1", product.port, timeout=60)
    client.request("GET", "/nowhere", headers={**shake, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert client.getresponse().status == 403
    client.close()
    assert "Exception in ASGI application" not in product.output()


def test_secrets_are_for_the_owner_alone(product: Product) -> None:
    secrets = [
        *(product.data / "secrets").iterdir(),
        product.data / "run" / "services.json",
        product.data / "demo.json",
    ]
    assert {"secret-key", "api-key-peppers", "master-key.json"} <= {p.name for p in secrets}
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE((product.data / "postgres").stat().st_mode) == 0o700


def test_nothing_listens_to_other_machines(product: Product) -> None:
    ours = _listening(product.processes().keys())
    assert len(ours) == 3  # web, PostgreSQL, Valkey
    assert {address for address, _ in ours} == {"0100007F"}


def _listening(pids: object) -> set[tuple[str, str]]:
    """(address, port) in hexadecimal, as /proc/net/tcp writes them, of sockets these processes listen on."""
    inodes = set()
    for pid in pids:  # type: ignore[attr-defined]
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
            except FileNotFoundError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.add((address, port))
    return found


@pytest.mark.covers("O-01")
@pytest.mark.parametrize("part", ["uvicorn", "config.celery worker", "config.celery beat"])
def test_a_process_that_is_killed_starts_again(product: Product, part: str) -> None:
    before = product.pids(part)
    os.kill(min(before), signal.SIGKILL)
    assert _wait_for(lambda: bool(product.pids(part)) and not product.pids(part) & before), "its children are left"
    product.wait_until_well()


@pytest.mark.parametrize("part", ["pginstall18/bin/postgres", "valkey-server"])
def test_a_server_that_is_killed_starts_again_with_its_data(product: Product, part: str) -> None:
    before = product.pids(part)
    os.kill(min(before), signal.SIGKILL)
    assert _wait_for(lambda: bool(product.pids(part) - before))
    product.wait_until_well()
    assert product.get("/accounts/login/", accept="text/html")[0] == 200


def test_a_second_one_on_the_same_folder_refuses(product: Product) -> None:
    second = Product(product.data)
    second.log = product.log.with_name("second.log")
    second.launch()
    assert second.process is not None
    assert second.process.wait(120) != 0
    assert "runs already" in second.output()
    product.wait_until_well()


@pytest.mark.parametrize(
    ("port", "data", "words"),
    [
        (70_000, "data", "PORT must be at most 65535, not 70000."),
        (0, "data", "PORT must be at least 1, not 0."),
        (8000, "file/data", "can't be made: Not a directory."),
    ],
)
def test_a_port_or_folder_that_cannot_be_is_named(tmp_path: Path, port: int, data: str, words: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "logs").mkdir()
    other = Product(tmp_path / data)
    other.port, other.log = port, tmp_path / "logs" / "other.log"
    other.launch()
    assert other.process is not None
    assert other.process.wait(120) != 0
    assert words in other.output()


def test_a_taken_port_is_named(product: Product, tmp_path: Path) -> None:
    other = Product(tmp_path / "data")
    other.port = product.port
    other.launch()
    assert other.process is not None
    assert other.process.wait(120) != 0
    assert f"Port {product.port} is in use" in other.output()
    other.wait_until_gone()


@pytest.mark.covers("O-01")
def test_nothing_is_left_when_the_supervisor_is_killed_and_the_next_start_is_quick(product: Product) -> None:
    (supervisor,) = product.pids("config.supervisor")
    os.kill(supervisor, signal.SIGKILL)
    product.wait_until_gone()
    took = product.start()
    assert "Bringing the database up to date" not in product.output()
    assert took < 90  # under 10 s on an idle machine; the suite keeps both cores busy, and its neighbours may too


def test_nothing_is_left_when_make_is_killed(product: Product) -> None:
    before = set(product.processes())
    product.stop(signal.SIGKILL)
    product.wait_until_gone()
    product.start()
    product.wait_until_well()
    assert before
    assert not before & set(product.processes())


def test_a_signal_ends_everything_cleanly(product: Product) -> None:
    product.stop()
    _nothing_is_left_open(product)


@pytest.mark.covers("V-01")
def test_without_its_master_key_it_is_sealed_and_loses_nothing(product: Product) -> None:
    if product.processes():
        product.stop()
        product.wait_until_gone()
    key = product.data / "secrets" / "master-key.json"
    hidden = key.rename(key.with_name("hidden"))
    product.start(word="sealed")
    status, _, content = product.get("/health")
    assert status == 503
    assert str(content["checks"]["vault"]).startswith("sealed")  # type: ignore[index]
    assert product.get("/health/live")[0] == 200
    assert not key.exists(), "a new key would make the old data unreadable for good"
    product.stop()
    hidden.rename(key)
    product.start()
    product.wait_until_well()


def test_ctrl_c_ends_everything_cleanly(product: Product) -> None:
    if not product.processes():
        product.start()
    for pid in product.pids("config.supervisor"):  # it reaches make and the supervisor
        os.kill(pid, signal.SIGINT)
    product.stop(signal.SIGINT)
    _nothing_is_left_open(product)


def _nothing_is_left_open(product: Product) -> None:
    product.wait_until_gone()
    assert "Stopped" in product.output()
    assert not (product.data / "run" / "services.json").exists()
    assert not (product.data / "postgres" / "postmaster.pid").exists()
    assert "database system is shut down" in (product.data / "logs" / "postgres.log").read_text().splitlines()[-1]
