"""What a study or a tally is: its conditions and seeds, how much is there, and what made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnlogic.words import counted

if TYPE_CHECKING:
    from attnlogic.results import Runs, Tally

_LISTED = 8
"""Values that a line names, at most."""

_VALUES = ("gate", "optimizer", "model", "encoding", "init", "epochs")
_OF_ALL = ("threshold", "until", "precision", "backend")


def facts(found: Runs | Tally) -> dict[str, Any]:
    """What ``attnlogic info`` says, in its order; of a tally what it has kept of that.

    Raises:
      InputError: a folder cannot be read.
    """
    from attnlogic.results import Runs

    return _of_study(found) if isinstance(found, Runs) else _of_tally(found)


def _of_study(runs: Runs) -> dict[str, Any]:
    from attnlogic.results import rows_kept, seeds_in_words

    said, parts = runs.description, runs.part_files()
    conditions = said["conditions"]
    about = {
        "study": str(runs.directory),
        "runs": len(runs),
        "asked": runs.asked,
        "conditions": len(conditions),
        "seeds": seeds_in_words(runs.seeds),
    }
    for name in _VALUES:
        about[name] = [*dict.fromkeys(one[name] for one in conditions if name in one)]
    for name in (*_OF_ALL, "devices"):
        about[name] = said.get(name)
    about |= {name: said[name] for name in ("keep", "keep_rows") if name in said}
    if "keep_rows" in said:
        about["rows_kept"], about["matching"] = rows_kept(runs)
    about |= {
        "attnlogic": said.get("attnlogic"),
        "versions": said.get("versions", {}),
        "platform": said.get("platform"),
        "created": said.get("created"),
        "resumed": said.get("resumed", []),
        "format": said.get("format", 1),
        "parts": len(parts),
        "bytes": sum(file.lstat().st_size for file in parts),
        "unread": [{"path": str(one.path), "reason": one.reason} for one in runs.unread],
    }
    return about


def _of_tally(tally: Tally) -> dict[str, Any]:
    from attnlogic.results import seed_ranges, seeds_in_words

    keys = tally.keys
    about: dict[str, Any] = {
        "runs": sum(map(seed_ranges.count, tally.seeds.values())),
        "conditions": len(keys),
        "seeds": seeds_in_words(seed_ranges.union(*tally.seeds.values())),
    }
    for name in (*_VALUES, *_OF_ALL):
        about[name] = [*dict.fromkeys(key[name] for key in keys)]
    return about


def share(found: Runs | Tally) -> str:
    """How much of an unfinished study is there; empty for a finished one, and for a tally."""
    from attnlogic.results import Runs, writer_of

    if not isinstance(found, Runs) or (there := len(found)) >= found.asked:
        return ""
    asked = counted(found.asked, "run")
    writer = writer_of(found.directory)
    do = f"{writer} trains the rest" if writer else "run the same command again for the rest"
    if found.is_earlier:
        do = "an earlier version wrote them, and this one cannot go on with its studies"
    return f"{there:,} of {asked} are there: {do}"


def in_words(value: Any) -> str:
    """A fact as a person reads it: of a long list the first few.

    Example:
      >>> in_words(["xor", "nand"]), in_words({"jax": "0.10"}), in_words(1000), in_words([])
      ('xor, nand', 'jax 0.10', '1,000', 'none')
    """
    if isinstance(value, dict):
        value = [f"{name} {one}" for name, one in value.items()]
    if isinstance(value, list):
        more = f", … ({len(value):,} in all)" if len(value) > _LISTED else ""
        shown = [one if isinstance(one, str) else in_words(one) for one in value[:_LISTED]]
        return (", ".join(shown) or "none") + more
    return f"{value:,}" if isinstance(value, int) else str(value)
