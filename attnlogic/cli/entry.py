"""The command ``attnlogic``: its commands, and how it ends whatever happens."""

from __future__ import annotations

import errno
import gc
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from attnlogic.cli import options
from attnlogic.cli.inspecting import info, verify
from attnlogic.cli.map import map_
from attnlogic.cli.models import models
from attnlogic.cli.plot import listed, plot
from attnlogic.cli.reference import backends, gates, optimizers, theory
from attnlogic.cli.report import report
from attnlogic.cli.results import merge, runs, tally
from attnlogic.cli.statistics import add_statistic_command
from attnlogic.cli.study import study
from attnlogic.cli.train import train
from attnlogic.errors import InputError, WorkError
from attnlogic.statistics import STATISTICS
from attnlogic.view import terminal

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What do optimizers really find? Trains a six-parameter attention neuron on logic gates, "
    "thousands of seeds at once, and says how often, when, and with what C = wq·wk·wv each "
    "optimizer succeeds.\n\nStart with: [bold]attnlogic study[/bold]",
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from attnlogic.version import __version__

        terminal.write(__version__)
        raise typer.Exit


def _register(panel: str, *commands: Callable[..., None]) -> None:
    for command in commands:
        app.command(rich_help_panel=panel)(command)


# In the order in which help lists them.
_register(options.TRAINING, study, train)
app.command("map", rich_help_panel=options.TRAINING)(map_)
for _statistic in STATISTICS.values():
    add_statistic_command(app, _statistic)
app.command(rich_help_panel=options.ON_RESULTS, epilog=listed().replace("\n", "\n\n"))(plot)
_register(options.ON_RESULTS, report, runs, tally, merge, info, verify)
_register(options.REFERENCE, theory, gates, models, optimizers, backends)

BAD_INPUT, FAILED = 2, 1
"""Exit codes: nothing was computed, or the work could not be finished or written."""


def main() -> None:
    """The command ``attnlogic``: bad input is one message and exit code 2, never a traceback."""
    # Python's search for cyclic garbage, among all that JAX brings, takes half a second a command.
    gc.set_threshold(1_000_000)
    # A user's own model or optimizer may lie here. Last, so that it hides nothing.
    sys.path.append("")
    terminal.carry_any_text()
    _show_only_our_warnings()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # now, where an error can still be answered
    except InputError as error:
        terminal.say(f"error: {error}")
        sys.exit(BAD_INPUT)
    except WorkError as error:
        terminal.say(f"error: {error}")
        sys.exit(FAILED)
    except FloatingPointError as error:  # a user has asked JAX to stop at one (JAX_DEBUG_NANS)
        terminal.say(f"error: {error}: a run diverged; without JAX_DEBUG_NANS it is counted")
        sys.exit(FAILED)
    except OSError as error:
        _end_with(error)
    finally:
        gc.freeze()  # or it is searched once more at the end


_UNFIT = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR)
"""What is wrong with a path that was given, or with one in a folder that was given."""


def _end_with(error: OSError) -> None:
    """End after something could not be read or written.

    Raises:
      OSError: it was something else.
    """
    terminal.discard_output()
    if error.errno in _UNFIT and error.filename:
        terminal.say(f"error: '{error.filename}': {error.strerror}")
        sys.exit(BAD_INPUT)
    if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
        raise error
    where = f"'{error.filename}'" if error.filename else "the output"
    terminal.say(f"error: cannot write {where}: {error.strerror}")
    sys.exit(FAILED)


def _show_only_our_warnings() -> None:
    """Print this package's warnings in one line, and none of the libraries'.

    With ``python -W`` or ``PYTHONWARNINGS`` every warning is shown as Python has it.
    """
    if sys.warnoptions:
        return
    warnings.simplefilter("ignore")
    warnings.filterwarnings("default", module=r"attnlogic")

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        terminal.say(f"warning: {message}")

    warnings.showwarning = show
