"""Time and memory of one thing at a time, each in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent


def probe(what: str, environment: dict[str, str] | None = None, **request: Any) -> dict[str, Any]:
    """Ask ``bench.probe``; the answer, with ``wall_seconds`` of the whole process beside it.

    Args:
      what, request: what is asked.
      environment: variables to be set for that process.

    Raises:
      RuntimeError: the process failed; the message is its own.
    """
    command = [sys.executable, "-m", "bench.probe", json.dumps({"what": what, **request})]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(environment or {})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wall = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed:\n{done.stderr}")
    reply: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**reply, "wall_seconds": wall}


def point(
    by: str, seeds: int, epochs: int, repetitions: int, chunk: int | None = None
) -> dict[str, Any]:
    """Time and memory of one training on XOR, a chunk of so many seeds; None: the usual number."""
    work: dict[str, Any] = {"seeds": seeds, "epochs": epochs, "chunk": chunk}
    return {"optimizer": by, **work, **probe("train", by=by, repetitions=repetitions, **work)}


def startup(repetitions: int, load: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of ``attnlogic --help``, of a Python that does nothing, and of the import alone.

    ``load`` is called before each round, and what it tells is beside them.
    """
    imports = "import time; t = time.perf_counter(); import attnlogic; print(time.perf_counter()-t)"
    seconds: dict[str, list[float]] = {"help": [], "python": [], "import": [], "load": []}
    for _ in range(repetitions):
        seconds["load"].append(load())
        for name, arguments in (
            ("help", ["-m", "attnlogic", "--help"]),
            ("python", ["-c", "pass"]),
            ("import", ["-c", imports]),
        ):
            began = time.perf_counter()
            command = [sys.executable, *arguments]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            wall = time.perf_counter() - began
            seconds[name].append(float(done.stdout) if name == "import" else wall)
    return seconds


def study(
    seeds: int, epochs: int, repetitions: int, load: Callable[[], float]
) -> list[dict[str, Any]]:
    """``attnlogic study`` from its start to its end, AdamW on XOR, in folders that are removed.

    Args:
      seeds, epochs, repetitions: the work.
      load: called before each: see ``load.Load``.

    Returns:
      A dict for the first time, which compiles, and one for the second, which finds the code kept.
      ``train_seconds`` are the fast path's alone, of the same work, without compilation.
    """
    load()
    alone = point("adamw", seeds, epochs, repetitions)["seconds"]
    work = {"seeds": seeds, "epochs": epochs, "train_seconds": alone}
    rows = [
        {**work, "compiles": compiles, "wall_seconds": [], "load": []} for compiles in (True, False)
    ]
    for _ in range(repetitions):
        with TemporaryDirectory() as folder:
            kept = {
                "JAX_COMPILATION_CACHE_DIR": str(Path(folder) / "kept"),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            }
            for row in rows:
                row["load"].append(load())
                out = Path(folder) / f"runs-{row['compiles']}"
                sizes = ["--seeds", str(seeds), "--epochs", str(epochs), "--out", str(out)]
                reply = probe("study", kept, arguments=["xor", "-o", "adamw", *sizes])
                row["wall_seconds"].append(reply["wall_seconds"])
                row["peak_bytes"] = max(reply["peak_bytes"], row.get("peak_bytes", 0))
                files = [file for file in out.rglob("*") if file.is_file()]
                row["stored_bytes"] = sum(file.stat().st_size for file in files)
    return rows
