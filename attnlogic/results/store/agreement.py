"""What is asked of a study that is there already: the same, more, or something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attnlogic.errors import InputError
from attnlogic.results.rows import seed_ranges, seeds_in_words

_WHOLE = ("backend", "precision", "threshold", "until", "keep", "keep_rows")
_USUAL = {"keep": "rows", "keep_rows": "none"}
_EACH = ("gate", "optimizer", "epochs", "init", "model", "encoding")
_MADE_BY = ("attnlogic", "versions", "devices", "machine")
_LISTED = 3
"""Values that a difference names, at most."""

Description = Mapping[str, Any]


def same(there: Description, asked: Description) -> bool:
    """Whether two descriptions ask for the same runs."""
    return _runs(there) == _runs(asked)


def made_alike(there: Description, asked: Description) -> bool:
    """Whether the same versions and devices make their runs."""
    return not there.get("resumed") and made_by(there) == made_by(asked)


def made_by(description: Description) -> dict[str, Any]:
    """The versions and devices that make a study's runs. That of Python decides no number."""
    said = {name: description.get(name) for name in _MADE_BY}
    versions = {name: v for name, v in (said["versions"] or {}).items() if name != "python"}
    return said | {"versions": versions}


def going_on(
    directory: Path, there: Description, asked: Description, *, extend: bool
) -> dict[str, Any]:
    """The description of a study that goes on; conditions keep their numbers, and new ones follow.

    Args:
      directory: where it lies, for messages.
      there: its description.
      asked: that of what is to be trained now.
      extend: whether more may be asked than is there.

    Raises:
      InputError: something else is asked; the message shows the difference.
    """
    if same(there, asked):
        return dict(there) | _by_another(there, asked)
    whole = [*_whole_differences(there, asked)]
    names = there.get("data", {}).keys() & asked.get("data", {}).keys()
    data = [f"data '{n}': other rows" for n in names if there["data"][n] != asked["data"][n]]
    if not extend:
        do = "name another folder with --out"
        do += "" if whole or data else ", or add to it with --extend"
        _refuse(directory, [*whole, *_differences(there, asked)], do)
    if whole or data:
        _refuse(
            directory, [*whole, *data], "--extend adds seeds, gates, optimizers and models alone"
        )
    return dict(there) | _extended(there, asked) | _by_another(there, asked)


def _refuse(directory: Path, lines: Iterable[str], do: str) -> None:
    listed = "".join(f"\n  {line}" for line in lines)
    raise InputError(f"'{directory}' holds another study:{listed}\n{do}")


def _runs(description: Description) -> dict[str, Any]:
    return {one["digest"]: one["seeds"] for one in description["conditions"]}


def _extended(there: Description, asked: Description) -> dict[str, Any]:
    """The conditions, kinds and data of both."""
    conditions = [dict(one) for one in there["conditions"]]
    place = {one["digest"]: i for i, one in enumerate(conditions)}
    kinds, moved = [*there["kinds"]], dict[int, int]()
    for one in asked["conditions"]:
        if one["digest"] in place:
            known = conditions[place[one["digest"]]]
            known["seeds"] = [*map(list, seed_ranges.union(known["seeds"], one["seeds"]))]
            continue
        if one["kind"] not in moved:
            kind, moved[one["kind"]] = dict(asked["kinds"][one["kind"]]), len(kinds)
            kind["parts"] = f"{len(kinds):03d}-{kind['parts'].partition('-')[2]}"
            kinds.append(kind)
        conditions.append(one | {"kind": moved[one["kind"]]})
    data = {**there.get("data", {}), **asked.get("data", {})}
    return {"conditions": conditions, "kinds": kinds, "data": data}


def _by_another(there: Description, asked: Description) -> dict[str, Any]:
    """The list of what else has made runs of the study, where that is something new."""
    known = [made_by(there), *map(made_by, there.get("resumed", []))]
    if made_by(asked) in known:
        return {}
    entry = {name: asked[name] for name in ("created", "platform", *_MADE_BY)}
    return {"resumed": [*there.get("resumed", []), entry]}


def _whole_differences(there: Description, asked: Description) -> Iterable[str]:
    for name in _WHOLE:
        ours, theirs = (said.get(name, _USUAL.get(name)) for said in (there, asked))
        if ours != theirs:
            yield f"{name}: {ours} there, {theirs} asked for"


def _differences(there: Description, asked: Description) -> Iterable[str]:
    """What differs between conditions, and between their seeds."""
    found = False
    for name in _EACH:
        ours, theirs = ({str(c[name]): None for c in d["conditions"]} for d in (there, asked))
        if ours.keys() != theirs.keys():
            found = True
            yield _difference(name, [*ours], [*theirs])
    seeds = [
        seeds_in_words(seed_ranges.union(*(c["seeds"] for c in d["conditions"])))
        for d in (there, asked)
    ]
    if seeds[0] != seeds[1]:
        found = True
        yield f"seeds: {seeds[0]} there, {seeds[1]} asked for"
    if found or [*_whole_differences(there, asked)]:
        return
    if _runs(there).keys() == _runs(asked).keys():
        yield "the seeds of some conditions"
    elif there.get("data") != asked.get("data"):
        yield "the rows of a data file"
    elif [k["parameters"] for k in there["kinds"]] != [k["parameters"] for k in asked["kinds"]]:
        yield "the parameters that are kept as columns"
    elif [k.get("code") for k in there["kinds"]] != [k.get("code") for k in asked["kinds"]]:
        yield "the code of a model or optimizer of your own"
    else:
        yield "which conditions belong together, or the meaning of a default"


def _difference(name: str, there: list[str], asked: list[str]) -> str:
    less = [value for value in there if value not in asked]
    more = [value for value in asked if value not in there]
    parts = [f"{_listed(less)} there"] if less else []
    parts += [f"{_listed(more)} asked for"] if more else []
    also = "" if less and more else f" alone, beside {_listed([v for v in there if v in asked])}"
    return f"{name}: {', '.join(parts)}{also}"


def _listed(values: list[str]) -> str:
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(values[:_LISTED]) + more
