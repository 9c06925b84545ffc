"""What the figures were measured on: processors, versions, load; no names and no places."""

from __future__ import annotations

import os
import platform
import resource
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("flexmine", "pyomo", "highspy", "numpy", "scipy", "pandas", "pypsa", "linopy")


def machine() -> str:
    """Return one line about machine and versions."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return (
        f"{os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, "
        + ", ".join(found)
    )


def peak_mb() -> float:
    """Return the most memory that this process ever held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mb() -> float:
    """Return the memory that this process holds now [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def table(columns: dict[str, str], rows: list[dict[str, object]]) -> str:
    """Return a Markdown table; `columns`: key of a row to its heading."""
    lines = ["| " + " | ".join(columns.values()) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_text(row.get(key, "")) for key in columns) + " |" for row in rows]
    return "\n".join(lines)


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
