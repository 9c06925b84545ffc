"""Seconds by phase, from a cold interpreter to files on disk, for 14 containers x 24 h and 56 containers x 48 h.

Usage: python benchmarks/phases.py [--repeat N]

Every run is a process of its own; the least of N is shown, and each phase as a share of its run.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from flexmine.resources import shipped_path

PHASES = (
    "import",
    "read",
    "physics",
    "compile",
    "pass",
    "solve",
    "preference",
    "disaggregate",
    "audit",
    "rules",
    "reasons",
    "write",
)
SIZES = {"14 x 24 h": ("bratsk-shaped", 24), "56 x 48 h": ("bratsk-40", 48)}
RUN = """
import json, sys, time
begin = time.perf_counter()
import flexmine.inputs.case, flexmine.output, flexmine.workflow.plan_case, flexmine.report.page
from pathlib import Path
from flexmine.solving.phases import Phases
imported = time.perf_counter() - begin
phases = Phases()
with phases.measure("read"):
    case = flexmine.inputs.case.load_case(sys.argv[1])
plan = flexmine.workflow.plan_case.plan_case(case, phases=phases)
flexmine.output.write_plan(plan, Path(sys.argv[2]), phases)
print(json.dumps({"import": imported, **phases.seconds}))
"""


def seconds_of(case: Path, out: Path) -> dict[str, float]:
    """Plan a case in a new process and return its seconds by phase."""
    done = subprocess.run([sys.executable, "-c", RUN, str(case), str(out)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def case_with_horizon(name: str, hours: int, folder: Path) -> Path:
    """Write a shipped case with another horizon; it refers to nothing but shipped files."""
    text = shipped_path(f"shipped:cases/{name}").read_text(encoding="utf-8")
    target = folder / f"{name}.yaml"
    target.write_text(re.sub(r"(?m)^horizon_h: .*$", f"horizon_h: {hours}", text), encoding="utf-8")
    return target


def main() -> None:
    """Print a table of seconds and shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, (case, hours) in SIZES.items():
            file = case_with_horizon(case, hours, folder)
            runs = [seconds_of(file, folder / f"{case}-{i}") for i in range(repeat)]
            best[size] = {phase: min(run[phase] for run in runs) for phase in PHASES}
    print(f"{'phase':14s}" + "".join(f"{size + ' [s]':>16s}{'share':>8s}" for size in SIZES))
    for phase in PHASES:
        cells = (f"{best[s][phase]:16.4f}{best[s][phase] / sum(best[s].values()):8.1%}" for s in SIZES)
        print(f"{phase:14s}" + "".join(cells))
    print(f"{'sum':14s}" + "".join(f"{sum(best[s].values()):16.4f}{1:8.1%}" for s in SIZES))


if __name__ == "__main__":
    main()
