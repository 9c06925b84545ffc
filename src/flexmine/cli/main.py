"""The group ``flexmine``; commands are found by name and imported when they are asked for."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from textwrap import wrap
from typing import TextIO

import click

from flexmine._version import __version__

GARBAGE_THRESHOLD = 50_000
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

SECTIONS: dict[str, dict[str, str]] = {
    "Plan": {
        "plan": "flexmine.cli.plan:plan_command",
        "check": "flexmine.cli.inspect:check",
        "explain": "flexmine.cli.inspect:explain",
        "audit": "flexmine.cli.inspect:audit",
    },
    "Publish": {
        "publish": "flexmine.cli.publish:publish_command",
    },
    "Every night, every hour": {
        "nightly": "flexmine.cli.nightly:nightly",
        "redispatch": "flexmine.cli.intraday:redispatch",
        "replan": "flexmine.cli.intraday:replan",
        "observe": "flexmine.cli.observe:observe",
        "history": "flexmine.cli.store:history",
        "show": "flexmine.cli.store:show",
        "diff": "flexmine.cli.store:diff",
        "reproduce": "flexmine.cli.store:reproduce",
        "replay": "flexmine.cli.observe:replay",
        "prune": "flexmine.cli.store:prune",
        "health": "flexmine.cli.operate:health_command",
        "backup": "flexmine.cli.operate:backup_command",
        "restore": "flexmine.cli.operate:restore_command",
    },
    "Ask what it would have earned": {
        "backtest": "flexmine.cli.backtest:backtest_command",
    },
    "Write cases": {
        "new-plant": "flexmine.cli.author:new_plant_command",
        "schema": "flexmine.cli.author:schema_command",
    },
    "Feeds": {
        "convert": "flexmine.cli.convert:convert_command",
        "forecast": "flexmine.cli.forecast:forecast_command",
    },
    "Exchange with other programs": {
        "problem": "flexmine.cli.numeric:problem",
        "solve": "flexmine.cli.numeric:solve",
    },
}
"""Every command by section of the help: ``module:attribute``.  A new command is a line here and its module."""


class LazyGroup(click.Group):
    """A group whose commands are imported on first use, listed by section."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None where there is none of that name."""
        for commands in SECTIONS.values():
            if cmd_name in commands:
                module, _, attribute = commands[cmd_name].partition(":")
                command: click.Command = getattr(import_module(module), attribute)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one block of the help for each section."""
        width = max(len(name) for name in self.list_commands(ctx))
        limit = formatter.width - width - 6
        for title, names in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name.ljust(width), c.get_short_help_str(limit)) for name, c in commands if c is not None]
            with formatter.section(title):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the shipped cases, as they are found."""
        from flexmine.resources import shipped_names

        with formatter.section("Shipped cases to try"):
            # A name is to be copied, so it is not broken at its hyphens, as click would.
            for line in wrap(", ".join(shipped_names("cases")), formatter.width - 4, break_on_hyphens=False):
                formatter.write(f"    {line}\n")


@click.group(cls=LazyGroup, context_settings=HELP)
@click.version_option(__version__, prog_name="flexmine")
def cli() -> None:
    """Plan the power of bitcoin-mining containers hour by hour against hydropower surplus, price and temperature.

    \b
    Energy trader    flexmine plan CASE --out DIR     tomorrow's plan, its money, and report.html
                     flexmine backtest FILE           what plans would have earned over many days
    Nightly job      flexmine nightly JOB.yaml        newest feeds, last night's state; stored, published
                     flexmine replan JOB.yaml         every hour: the rest of the day anew
                     flexmine health JOB.yaml         for monitors: is the plant looked after
    Grid operator    flexmine check CASE              every limit checked in words, nothing solved
                     flexmine audit DIR               a written plan re-checked from its files alone
    Fleet operator   flexmine explain DIR --container C07 --at 03:00
                                                      why it does what it does, in two sentences

    \b
    Exit codes: 0 planned to the asked gap, 2 bad usage or input, 3 infeasible (the conflict is named),
    4 planned but the gap was not reached in time, 5 planned by a named fallback, 6 no plan,
    1 internal error or a plan that failed its audit.
    """  # noqa: D301 - click reads the \b


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command ``flexmine``."""
    _utf8(sys.stdout)
    _utf8(sys.stderr)
    # What imports make stays until the end: looking for garbage among it again and again takes a tenth of a short run.
    gc.set_threshold(GARBAGE_THRESHOLD, *gc.get_threshold()[1:])
    try:
        cli.main(args=arguments, prog_name="flexmine")
    finally:
        # Nor does the end of the process need to take apart, piece by piece, what it gives back as a whole.
        gc.freeze()


def _utf8(stream: TextIO) -> None:
    """Show thin spaces and arrows also where the locale is C; a terminal that cannot gets a replacement."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")
