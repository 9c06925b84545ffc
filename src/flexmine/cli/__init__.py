"""The command line: parse, call one function, print.  Nothing heavy is imported before a command runs."""

from flexmine.cli.main import cli, main

__all__ = ["cli", "main"]
