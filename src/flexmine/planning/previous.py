"""An earlier plan, read back to stay close to it."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from flexmine.errors import BadInput
from flexmine.moments import read_moment
from flexmine.problem import Floats, Problem


def running_before(directory: Path, problem: Problem) -> dict[str, Floats]:
    """Return how many containers of each class ran in an earlier plan, by step of `problem`, shape (T,).

    Steps that the earlier plan does not cover, or covers with another step length, are NaN.

    Parameters
    ----------
    directory : Path
        Directory of the earlier plan.
    problem : Problem

    Raises
    ------
    BadInput
        The directory holds no setpoints that can be read.
    """
    file = directory / "setpoints.csv"
    running: Counter[tuple[str, datetime]] = Counter()
    covered: set[datetime] = set()
    class_of = {name: k.name for name, k in problem.containers}
    line = 1
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                line = reader.line_num
                begin = read_moment(row["interval_start"]).astimezone(UTC)
                end = read_moment(row["interval_end"]).astimezone(UTC)
                if abs((end - begin).total_seconds() / 3600 - problem.time.step_h) > 1e-9:
                    continue
                covered.add(begin)
                if row["state"] == "on" and row["container"] in class_of:
                    running[class_of[row["container"]], begin] += 1
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except KeyError as error:
        raise BadInput(f"{file}: has no column {error}; an earlier plan of flexmine is expected") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise BadInput(f"{file}:{line}: is not a row of setpoints: {error}") from error
    begins = [problem.time.begin(t).astimezone(UTC) for t in range(problem.steps)]
    return {
        k.name: np.array([running[k.name, b] if b in covered else np.nan for b in begins], dtype=np.float64)
        for k in problem.classes
    }
