"""The front-end files of others are the ones the lock names."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("vendor", ROOT / "tools" / "vendor.py")
assert _spec and _spec.loader
vendor = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(vendor)

ALLOWED_LICENCES = {"MIT", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0", "OFL-1.1"}


def test_every_file_is_the_one_in_the_lock_and_no_other_lies_there():
    assert vendor.differences() == []


def test_a_changed_file_is_noticed(tmp_path, monkeypatch):
    for path in vendor.VENDOR.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(vendor.VENDOR)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(vendor, "VENDOR", tmp_path)
    (tmp_path / "htmx.min.js").write_text("alert(1)")
    (tmp_path / "stranger.js").write_text("")
    assert vendor.differences() == [
        "htmx.min.js is not the file of htmx.org 2.0.11.",
        "stranger.js is not in the lock.",
    ]


def test_licences_are_ones_we_may_ship():
    assert {package["licence"] for package in vendor.read_lock()["packages"]} <= ALLOWED_LICENCES


def test_the_sprite_holds_exactly_the_icons_in_the_list():
    symbols = re.findall(r'<symbol id="([\w-]+)"', (vendor.VENDOR / "icons.svg").read_text())
    assert symbols == vendor.ICONS.read_text().split()


def test_every_icon_of_the_list_is_used():
    places = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "apps").rglob("*.py"), *(ROOT / "static/js").glob("*.js")]
    written = "".join(path.read_text() for path in places)
    quoted = set(re.findall(r"""["'#]([a-z][a-z0-9-]*)["']""", written))
    assert set(vendor.ICONS.read_text().split()) - quoted == set()
