"""Which process of `make test` runs what: a file's tests stay together, and the longest begin first.

What a file needs (a server, a browser, a provider's library) is then made once and not in every process. Tests of an
``xdist_group`` stay together as well, whichever files they are in.
"""

from __future__ import annotations

from collections import Counter

import pytest
from xdist.scheduler import LoadGroupScheduling


class FilesTogether(LoadGroupScheduling):
    """Hands out groups and files in the order in which the processes list them."""

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FilesTogether | None:
    return FilesTogether(config, log) if config.getvalue("dist") == "loadgroup" else None  # type: ignore[arg-type]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the processes: files with a group or a time limit of their own first, then by number of tests."""
    if not hasattr(config, "workerinput"):
        return
    size = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("xdist_group") or item.get_closest_marker("timeout")}
    items.sort(key=lambda item: (item.path not in long, -size[item.path]))
