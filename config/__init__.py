"""The product's configuration: settings, addresses, processes, embedded servers."""

import os

# Before numpy is imported: its matrices here are small, and between two of them the other threads of OpenBLAS spin on
# the processor that requests need (12 of 14 ms for the ranking of one search).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
