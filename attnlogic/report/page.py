"""The page of a study or a tally: one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError
from attnlogic.report.about import facts, in_words, share
from attnlogic.report.chosen_runs import MAX_RUNS, choice
from attnlogic.report.citation import MESSAGE, bibtex, citation
from attnlogic.report.few_runs import Few, few
from attnlogic.report.losses import few_losses
from attnlogic.report.sections import Given, Picture, section, sentence
from attnlogic.report.vector import svg_in_page
from attnlogic.statistics import STATISTICS
from attnlogic.version import __version__
from attnlogic.words import in_shell

if TYPE_CHECKING:
    from attnlogic.results import Runs, Tally

MAX_SINGLE_RUNS = 100_000
"""Runs, at most, of which statistics that need each by itself are computed for a page."""

MAX_RUNS_IN_MEMORY = 2_000_000
"""Runs, at most, of which a page has every value in memory, some 400 bytes each; more are tallied:
see ``results.Tally``."""

_MADE_BY = ("attnlogic", "versions", "platform", "devices", "created", "resumed", "format",
            "parts", "bytes")  # fmt: skip
"""The facts that are provenance."""


def write_page(found: Runs | Tally, path: Path, of: str = "") -> None:
    """Write the page of a study or a tally.

    Args:
      found: the runs.
      path: the file, whose name ends in .html.
      of: the path of the runs, for the commands on the page; a study knows its own.

    Raises:
      InputError: the name ends otherwise, there is no run, something cannot be read, or the file
        cannot be written.
    """
    from attnlogic.results import write_whole

    writable_page(path)
    content = made_page(found, of).encode()
    try:
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error


def writable_page(path: Path) -> None:
    """Check, before any work, that a page can be written there.

    Raises:
      InputError: the name does not end in .html, there is no such folder, or a folder has it.
    """
    from attnlogic.view import writable_picture

    if path.suffix.lower() != ".html":
        raise InputError(f"'{path}': expected a name that ends in .html")
    writable_picture(path)


def made_page(found: Runs | Tally, of: str = "") -> str:
    """The page's text.

    Args:
      found: a study, finished or not, or a tally.
      of: the path of the runs, for the commands on the page; a study knows its own.

    Raises:
      InputError: there is no run, or something cannot be read.
    """
    import vl_convert

    from attnlogic.results import Runs, select
    from attnlogic.view import THEMES, chart_theme

    about = facts(found)
    if not about["runs"]:
        raise InputError("there is no run yet, and so nothing to report: go on with the study")
    of = str(found.directory) if isinstance(found, Runs) else of
    selection, n = select(found), about["runs"]
    has_rows = isinstance(found, Runs) and found.keeps_rows
    some = few(selection, n, MAX_SINGLE_RUNS) if has_rows else Few([], "")
    single = _single_runs(found)
    binned = not has_rows or n > MAX_RUNS_IN_MEMORY
    populations = [*(selection.tally() if binned else selection).populations()]
    given = Given(selection, populations, some.frames, some.note, of)
    sections = [section(statistic, given) for statistic in STATISTICS.values()]
    chosen = choice(single) if single.frames else None
    # Its types ask for a snippet, without which it gives all of Vega-Lite.
    scripts = [vl_convert.javascript_bundle()] if chosen else []  # type: ignore[call-arg]
    scripts.append(_asset("page.js"))
    text: str = _template().render(
        title=Path(of).name or "tally",
        made_with=__version__,
        asked={k: in_words(v) for k, v in about.items() if k not in (*_MADE_BY, "unread")},
        made={k: in_words(v) for k, v in about.items() if k in _MADE_BY},
        unread=about.get("unread", []),
        missing=share(found),
        binned=binned,
        has_rows=has_rows,
        sections=sections,
        losses=_losses(some if has_rows else single),
        choice=chosen,
        runs_command=f"attnlogic runs {in_shell(of)}",
        data=chosen and _data(chosen, {name: chart_theme.config(name) for name in THEMES}),
        cite=MESSAGE,
        citation=citation(),
        bibtex=bibtex(),
        style=_asset("page.css"),
        scripts=scripts,
        hashes=" ".join(f"'sha256-{_hash(script)}'" for script in scripts),
    )
    return text


def _single_runs(found: Runs | Tally) -> Few:
    """The runs to choose from: of a census those that it keeps, of a tally none."""
    from attnlogic.results import Runs, kept_in_words, kept_rows, select

    if not isinstance(found, Runs):
        return Few([], "")
    if found.keeps_rows:
        return few(select(found), len(found), MAX_RUNS)
    if found.description.get("keep_rows") is None:
        return Few([], "")
    rows, _ = kept_rows(found)
    if rows.is_empty():
        return Few([], "")
    some = few(select(rows), len(rows), MAX_RUNS)
    return some._replace(note=f"The study keeps {kept_in_words(found)}. {some.note}".strip())


def _data(chosen: Any, configs: dict[str, Any]) -> dict[str, Any]:
    return {
        "conditions": chosen.conditions,
        "columns": chosen.columns,
        "views": [view.spec for view in chosen.views],
        "limits": chosen.limits,
        "configs": configs,
    }


def _losses(some: Few) -> Picture:
    about = "The loss of a few runs of each ending, trained again"
    if not some.frames:
        return Picture(about, missing="Only a tally of these runs is kept, no single ones.")
    try:
        return Picture(about, svg_in_page(few_losses(some.frames), "losses"))
    except InputError as error:
        return Picture(about, missing=sentence(error))


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html.jinja"))


def _asset(name: str) -> str:
    return files("attnlogic.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """What the page's security policy names a script by: it runs these and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
