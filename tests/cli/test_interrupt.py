"""Ctrl-C: exit 130 in words, whatever flexmine is doing, and what was there before is as it was."""

import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from flexmine.jobs.lock import plant_lock
from nights import evening_before, write_job
from shell import edited

WAIT_S = 60.0
HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Whoever runs the tests in the background has SIGINT ignored, which a child inherits."""
CHILD = """
import os, signal, sys, threading, time
from flexmine.solving import {module} as place
honest = place.{name}

def told(*arguments, **named):
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    {action}

place.{name} = told
from flexmine.cli import main
main(sys.argv[1:])
"""


def run(text, *arguments):
    command = [sys.executable, "-c", HEARD + text, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)


def test_interrupted_in_the_middle_of_a_plan(tmp_path):
    """*Proves:* 130, one line, the plan that was there before is untouched and nothing lies beside it.

    *Sensitivity:* click's own answer is exit 1, which is that of a failed audit.
    """
    case = edited(tmp_path, "bratsk-shaped")
    done = run("import sys; from flexmine.cli import main; main(sys.argv[1:])", "plan", case, "--out", tmp_path / "o")
    assert done.returncode == 0
    before = {f.name: f.read_bytes() for f in (tmp_path / "o").iterdir()}
    text = CHILD.format(module="engine", name="solve", action="time.sleep(30)")
    done = run(text, "plan", case, "--out", tmp_path / "o")
    assert (done.returncode, done.stderr.strip()) == (130, "flexmine: interrupted; what was there before is as it was")
    assert {f.name: f.read_bytes() for f in (tmp_path / "o").iterdir()} == before
    assert sorted(f.name for f in tmp_path.iterdir()) == ["case.yaml", "o"]


def test_interrupted_while_highs_searches():
    """*Proves:* a search of minutes ends within seconds of Ctrl-C, the interrupt is raised, and the process ends by
    itself, with nothing to say.

    *Sensitivity:* run in the main thread, HiGHS is not interrupted before its time limit, and the child is killed; left
    to search by a process that exits, it is aborted (-6, "terminate called without an active exception").
    """
    text = """
import os, signal, threading
import numpy as np, scipy.sparse as sp
from flexmine.solving.highs import Solver
from flexmine.solving.standard_form import Matrix
rng, n, m = np.random.default_rng(1), 60, 40
A = rng.integers(1, 60, (m, n)).astype(float)
free = np.full(m, -np.inf)
ones, zeros = np.ones(n), np.zeros(n)
matrix = Matrix(sp.csc_matrix(A), -A.sum(axis=0), 0.0, zeros, ones, free, np.floor(A.sum(axis=1) / 2),
                np.ones(n, dtype=np.int32), {}, [])
threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    Solver(matrix, {"time_limit": 600.0}).run()
except KeyboardInterrupt:
    print("interrupted")
"""
    done = run(text)
    assert done.stdout.strip().endswith("interrupted"), done.stderr
    assert (done.returncode, done.stderr) == (0, "")


def test_interrupted_while_it_waits_for_another_run(tmp_path):
    """*Proves:* a night that waits for the lock of its plant ends with 130, and the next one runs.

    *Sensitivity:* an interrupt taken for an error would be kept as an attempt that failed.
    """
    day = date(2024, 4, 10)
    job = write_job(tmp_path, day, 1, more="lock_wait_s: 50\n")
    arguments = ["nightly", job, "--day", day, "--at", evening_before(day).isoformat()]
    with plant_lock(tmp_path / "runs", "small", 0.0, lambda _: None):
        text = HEARD + "import sys; from flexmine.cli import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", text, *map(str, arguments)]
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = []
        for line in waiting.stderr:
            lines.append(line)
            if "planning 2024-04-10" in line:
                break
        time.sleep(0.5)
        waiting.send_signal(signal.SIGINT)
        out, rest = waiting.communicate(timeout=WAIT_S)
    assert waiting.returncode == 130, (lines, rest)
    assert "Traceback" not in rest and "interrupted" in rest and out == ""
    assert subprocess.run(command, capture_output=True, timeout=WAIT_S).returncode == 0


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
