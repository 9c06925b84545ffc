"""What all commands share: errors into exit codes, options of the solver, messages on stderr."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from flexmine.errors import BadInput, FlexmineError, on_one_line, printable

EXIT_INTERRUPTED = 130
"""As shells call a command that SIGINT (2) has ended: 128 + 2."""


def put(*lines: str) -> None:
    """Print what was asked for, on stdout, each line as one line whatever a file has put into it."""
    _print(lines, err=False)


def say(*lines: str) -> None:
    """Print messages for a person, on stderr, each as one line."""
    _print(lines, err=True)


def _print(lines: tuple[str, ...], *, err: bool) -> None:
    click.echo("\n".join(map(on_one_line, lines)), err=err)


strict_seals = click.option(
    "--strict", is_flag=True, help="Refuse plans without a seal, as versions before 0.2 wrote them."
)
"""The option of all commands that take up a written plan."""


def with_errors(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a command that returns an exit code, or raises a FlexmineError, into a click command body."""

    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @wraps(command)
    def body(debug: bool, **arguments: Any) -> None:
        if not debug:
            sys.excepthook = _short_internal_error
        try:
            code = command(**arguments)
        except FlexmineError as error:
            if debug:
                raise
            for message in error.messages:
                say(f"flexmine: {error.status}: {message}")
            code = error.exit_code
        except BrokenPipeError:  # of head and the like; click ends it without a word
            raise
        except OSError as error:
            # What a disk or a system refuses is not an error of ours, wherever it happens.
            if debug:
                raise
            place = f"{error.filename}: " if error.filename is not None else ""
            say(f"flexmine: bad_input: {printable(f'{place}{error.strerror or error}')}")
            code = BadInput.exit_code
        except KeyboardInterrupt:
            say("flexmine: interrupted; what was there before is as it was")
            code = EXIT_INTERRUPTED
        sys.exit(code)

    return body


@contextmanager
def errors_in_log(logger: logging.Logger) -> Iterator[None]:
    """Write an error into the log, where every line has the run's id, in place of plain text on stderr."""
    try:
        yield
    except FlexmineError as error:
        if click.get_current_context().params.get("debug"):
            raise
        for message in error.messages:
            logger.error("%s: %s", error.status, message)
        raise click.exceptions.Exit(error.exit_code) from error


def _short_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    where = traceback.extract_tb(trace)[-1] if trace else None
    place = f" ({Path(where.filename).name}:{where.lineno})" if where else ""
    say(f"flexmine: internal error: {kind.__name__}: {error}{place}; no plan was written. --debug shows more.")


def outside_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--allow-outside``: it is for the person at the shell, not for a file, to open further folders."""
    return click.option(
        "--allow-outside",
        "allow_outside",
        type=click.Path(path_type=Path),
        multiple=True,
        envvar="FLEXMINE_ALLOW_OUTSIDE",
        metavar="FOLDER",
        help="Let the case name files below FOLDER too, not only below its own.  Repeatable.",
    )(command)


def solver_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the solver to a command."""
    for option in reversed(
        [
            click.option("--gap", type=float, help="Relative gap to prove [default: the case's, else 1e-4]."),
            click.option("--time-limit", type=float, metavar="SECONDS", help="Time for the search [default: 60]."),
            click.option("--seed", type=int, help="Random seed of the solver [default: 0]."),
            click.option("--engine", help="auto, rounding or mip [default: auto]."),
            click.option(
                "--solver-option",
                "solver_option",
                multiple=True,
                metavar="NAME=VALUE",
                help="A HiGHS option by its own name; an unknown one is refused.  Repeatable.",
            ),
        ]
    ):
        command = option(command)
    return command


def merged(options: Any, given: dict[str, Any]) -> Any:
    """Return solver options with those that were given on the command line in place of the case's."""
    highs = dict(_name_and_value(text) for text in given["solver_option"])
    chosen = {key: given[key] for key in ("gap", "seed", "engine")}
    chosen |= {"time_limit_s": given["time_limit"], "highs": highs or None}
    return replace(options, **{name: value for name, value in chosen.items() if value is not None})


def _name_and_value(text: str) -> tuple[str, bool | int | float | str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--solver-option {text!r}: expected NAME=VALUE, such as mip_heuristic_effort=0.1")
    if value in ("true", "false"):
        return name, value == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


class ErrorFile:
    """Writes DIR.error.json on the way out of an error; the error itself goes on."""

    def __init__(self, directory: Path):
        self.directory = directory

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A directory without a name of its own (".", ".." or "/") has no place beside it.
        if kind is None or not issubclass(kind, Exception) or self.directory.name in ("", ".."):
            return
        from flexmine.output import write_error

        known = error if isinstance(error, FlexmineError) else FlexmineError(f"{kind.__name__}: {error}")
        try:
            write_error(self.directory, known)
        except (OSError, BadInput) as failure:
            why = failure if isinstance(failure, BadInput) else failure.strerror or failure
            say(f"flexmine: {self.directory}.error.json cannot be written: {why}")
