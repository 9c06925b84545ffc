"""Wall time of the command against the imports that it cannot do without.

Usage: python benchmarks/startup.py [--repeat N]

Commands and imports take turns, so that both see the same machine; medians, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from flexmine.resources import shipped_path

ALL_IMPORTS = "import pyomo.environ, highspy, pandas, pvlib, altair, pydantic, jinja2"
FEW_IMPORTS = "import pyomo.environ, highspy, pandas"


def wall_s(command: Sequence[str]) -> float:
    """Return the wall time of a process that must succeed."""
    # Compiled modules are kept, as an installer keeps them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    quiet = subprocess.DEVNULL
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet, env=environment)
    return time.perf_counter() - begin


def main() -> None:
    """Print one line a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=9)
    repeat = parser.parse_args().repeat
    flexmine = [sys.executable, "-m", "flexmine"]
    with tempfile.TemporaryDirectory() as name:
        plan = [*flexmine, "plan", "bratsk-day", "--quiet", "--out", str(Path(name) / "plan")]
        rows = [
            ("plan bratsk-day", plan, ALL_IMPORTS, 1.3),
            ("plan bratsk-day --no-report", [*plan, "--no-report"], FEW_IMPORTS, 1.5),
            ("check bratsk-day", [*flexmine, "check", "bratsk-day"], "import numpy, pydantic", None),
            ("--help", [*flexmine, "--help"], "import click", None),
        ]
        print(
            f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; W of {shipped_path('shipped:cases/bratsk-day').name} is given"
        )
        print(f"{'command':30s}{'wall s':>8s}{'imports s':>11s}{'ratio':>7s}{'at most':>9s}")
        for label, command, imports, limit in rows:
            python = [sys.executable, "-c", imports]
            wall_s(command), wall_s(python)
            taken = [(wall_s(command), wall_s(python)) for _ in range(repeat)]
            ours, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
            most = f"{limit:9.1f}" if limit else f"{'-':>9s}"
            print(f"{label:30s}{ours:8.2f}{theirs:11.2f}{ours / theirs:7.2f}{most}", flush=True)


if __name__ == "__main__":
    main()
