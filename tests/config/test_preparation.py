"""When a start brings the database up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.supervisor import preparation

pytestmark = pytest.mark.covers("O-01")


@pytest.mark.parametrize(
    ("path", "text", "decides"),
    [
        ("apps/chat/migrations/0002_more.py", "operations = []", True),
        ("apps/integrations/zerodb/holdings.py", 'declare_price("lookups", "zerodb", "0")', True),
        ("apps/integrations/providers/openai/definition.py", "prices = ()", True),
        ("apps/chat/pages/inbox.py", "LIMIT = 20", False),
    ],
)
def test_a_start_looks_at_what_migrating_stores_and_at_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str, decides: bool
) -> None:
    monkeypatch.setattr(preparation, "ROOT", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("django\n")
    before = preparation._files()
    new = tmp_path / path
    new.parent.mkdir(parents=True)
    new.write_text(text)
    assert (preparation._files() != before) is decides
