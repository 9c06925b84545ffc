"""The ways in which flexmine ends other than with a plan, each with its exit code.

Every error carries sentences for a person: what is wrong, where, and what is allowed.  The command line prints
them; nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum


class Status(StrEnum):
    """How a run ended; written everywhere a plan is shown."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    FALLBACK = "fallback"
    INFEASIBLE = "infeasible"
    NO_PLAN = "no_plan"
    BAD_INPUT = "bad_input"


EXIT_CODES: dict[Status, int] = {
    Status.OPTIMAL: 0,
    Status.BAD_INPUT: 2,
    Status.INFEASIBLE: 3,
    Status.FEASIBLE: 4,
    Status.FALLBACK: 5,
    Status.NO_PLAN: 6,
}
EXIT_INTERNAL = 1
MAX_SENTENCE = 2000


class FlexmineError(Exception):
    """Base of all errors that flexmine raises on purpose.

    Parameters
    ----------
    messages : sequence of str
        One sentence each; all that is wrong, not only the first.
    """

    exit_code = EXIT_INTERNAL
    status: str = "internal_error"

    def __init__(self, messages: str | Sequence[str]):
        self.messages: list[str] = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("\n".join(self.messages))


class BadInput(FlexmineError):
    """Usage, a file or a value that cannot be right (exit 2)."""

    exit_code = EXIT_CODES[Status.BAD_INPUT]
    status = Status.BAD_INPUT.value


class Infeasible(FlexmineError):
    """Proven: no plan keeps all limits; `messages` name the conflicting limits and hours (exit 3)."""

    exit_code = EXIT_CODES[Status.INFEASIBLE]
    status = Status.INFEASIBLE.value


class NoPlan(FlexmineError):
    """The solver ended without any plan: time was up, or it failed (exit 6)."""

    exit_code = EXIT_CODES[Status.NO_PLAN]
    status = Status.NO_PLAN.value


class AuditFailed(FlexmineError):
    """A plan was found and refused by the audit; `messages` are its violations (exit 1)."""

    status = "audit_failed"


def first_of(messages: Sequence[str], most: int, rest: str = "more") -> list[str]:
    """Return the first `most` of `messages`, and after them how many are left out, called `rest`."""
    left_out = len(messages) - most
    return [*messages[:most], f"and {left_out} {rest}"] if left_out > 0 else list(messages)


UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, separators of lines and paragraphs, halves of surrogate pairs, and what turns text around."""


def on_one_line(text: str) -> str:
    """Return `text` with everything escaped that would move a cursor, end a line or change the direction of writing.

    Names and notes come from files that others may write; on a terminal or in a log they must remain plain text.
    """
    return UNSEEN.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def printable(text: str) -> str:
    """Return `text` on one line and without control characters, which a file may have put into a message."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:MAX_SENTENCE])
    return shown + ("..." if len(text) > MAX_SENTENCE else "")
