"""How many threads the libraries underneath may start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
import config.settings.local
import numpy
matrix = numpy.ones((400, 400), dtype=numpy.float32)
matrix @ matrix
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.covers("V-03")
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="the threads of a process are counted as Linux tells")
@pytest.mark.parametrize(("asked_for", "threads"), [(None, "1"), ("2", "2")])
def test_small_matrices_are_multiplied_in_the_thread_that_asks_unless_somebody_wants_more(asked_for, threads):
    variables = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if asked_for:
        variables["OPENBLAS_NUM_THREADS"] = asked_for
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == threads
