"""``python -m bench.same_rows REVISION``: are a study's rows what they were at another revision?

Installs that revision beside this checkout, runs the same study with both, and compares every value
of every row bit for bit. Exit code 0 if they are equal, 1 if not.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import polars as pl
import typer

HERE = Path(__file__).parent.parent
ORDER = ("gate", "optimizer", "seed")


def installed(source: str, into: Path) -> Path:
    """The package of a source tree, installed into a folder, without what it depends on."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(into)]
    subprocess.run([*command, source], check=True)
    return into


def rows(package: Path, out: Path, arguments: list[str]) -> pl.DataFrame:
    """The rows of a study that is run with the package in that folder."""
    command = [sys.executable, "-m", "attnlogic", "study", "--no-cache", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(package)}
    # Not in the checkout, whose own package would come first.
    subprocess.run(
        [*command, *arguments], check=True, env=environment, cwd=package, stdout=subprocess.DEVNULL
    )
    show = [sys.executable, "-m", "attnlogic", "runs", str(out), "--format", "parquet"]
    shown = subprocess.run(show, check=True, env=environment, cwd=package, stdout=subprocess.PIPE)
    return pl.read_parquet(io.BytesIO(shown.stdout)).sort(*ORDER)


def differences(before: pl.DataFrame, now: pl.DataFrame) -> list[str]:
    """What differs between two frames of runs, a line each; whole numbers may have become wider."""
    if before.height != now.height:
        return [f"{before.height} rows before, {now.height} now"]
    found = [f"column '{name}' is gone" for name in before.columns if name not in now.columns]
    for name in before.columns:
        if name not in now.columns:
            continue
        old, new = before[name], now[name]
        if old.dtype != new.dtype and not (old.dtype.is_integer() and new.dtype.is_integer()):
            found.append(f"column '{name}' was {old.dtype}, is {new.dtype}")
        elif changed := int((~_bits(old).eq_missing(_bits(new))).sum()):
            found.append(f"column '{name}' differs in {changed} of {len(old)} rows")
    return found


def _bits(column: pl.Series) -> pl.Series:
    """Values whose equality means equal bits: −0 differs from 0."""
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    if column.dtype == pl.Enum:
        return column.cast(pl.String)
    if column.dtype.is_float():
        return column.reinterpret(dtype=pl.Int32 if column.dtype == pl.Float32 else pl.Int64)
    return column


def main(
    revision: Annotated[str, typer.Argument(help="A revision of git, such as HEAD~1 or a tag.")],
    study: Annotated[
        list[str] | None,
        typer.Argument(help="What attnlogic study is given, after --; without any the default."),
    ] = None,
) -> None:
    """Compare the rows of a study at a revision with those of the working tree, bit for bit."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "source"
        subprocess.run(
            ["git", "worktree", "add", "-q", "--detach", str(source), revision],
            check=True, cwd=HERE,
        )  # fmt: skip
        try:
            old = installed(str(source), folder / "before")
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(source)], check=True, cwd=HERE
            )
        new = installed(str(HERE), folder / "now")
        arguments = study or []
        before = rows(old, folder / "rows-before", arguments)
        now = rows(new, folder / "rows-now", arguments)
    found = differences(before, now)
    print(f"{now.height:,} rows, {len(before.columns)} columns: ", end="")
    print("\n".join(["they differ", *found]) if found else "equal bit for bit")
    raise typer.Exit(1 if found else 0)


if __name__ == "__main__":
    typer.run(main)
