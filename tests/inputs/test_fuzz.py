"""2,000 damaged inputs, a third of them in a normal run: never a traceback, and never a plan from garbage."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.explain.prechecks import conflicts
from flexmine.inputs import references
from flexmine.inputs.case import load_case
from flexmine.inputs.yaml_loader import parse_yaml
from flexmine.problem.reading import problem_from_document, problem_text
from flexmine.resources import shipped_path
from inputs.mutations import mutate
from samples import by_sample

EXAMPLES = {"small": 1100, "bratsk-day": 300, "bratsk-day-measured": 300, "fleet-mixed": 300}
"""By case, 2,000 in all."""
SAMPLE = {"small": 360, "bratsk-day": 100, "bratsk-day-measured": 100, "fleet-mixed": 100}
"""By case, in a normal run."""
_NUMBER = st.integers(min_value=0, max_value=2**20)


def _bundle(folder: Path, name: str) -> dict[str, bytes]:
    """Return a shipped case with everything that it refers to, as files of one folder, by their names."""
    files: dict[str, bytes] = {}
    todo = [f"shipped:cases/{name}"]
    while todo:
        reference = todo.pop()
        path = shipped_path(reference)
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yaml":
            found = re.findall(r"shipped:[\w/.-]+", text)
            todo += [r for r in found if _plain(r) not in files]
            text = re.sub(r"shipped:[\w/.-]+", lambda m: _plain(m[0]), text)
        files[_plain(reference)] = text.encode()
    for file, raw in files.items():
        (folder / file).write_bytes(raw)
    return files


def _plain(reference: str) -> str:
    flat = reference.removeprefix("shipped:").replace("/", "-")
    return flat if flat.endswith(".csv") else f"{flat}.yaml"


@pytest.mark.parametrize("examples", by_sample(SAMPLE, EXAMPLES))
@pytest.mark.parametrize("name", EXAMPLES)
def test_damaged_inputs_end_in_a_sentence_or_in_a_sound_problem(
    name, examples, folder, tmp_path_factory, capsys, monkeypatch
):
    """Files of a case are damaged in one to three places: lines dropped, doubled, swapped, values of another type or
    unit, naive times, marks of missing values, broken encodings, truncation.

    *Proves:* only BadInput comes out (exit 2), its sentences name a file and hold no control characters; what loads
    makes a problem that the strict reader of problem.json accepts: lengths, signs, finite numbers.
    *Sensitivity:* any other exception fails here; the sum of refused ones says that the damage bites.
    """
    monkeypatch.setattr(references, "parse_yaml", cache(parse_yaml))  # most files are undamaged each time
    home = tmp_path_factory.mktemp(name)
    if name == "small":
        files = {p.name: p.read_bytes() for p in folder.path.iterdir() if p.is_file()}
    else:
        files = _bundle(home, name)
    case = "case.yaml" if name == "small" else f"cases-{name}.yaml"
    count = {"refused": 0, "loaded": 0}
    names = sorted(files)

    @settings(
        max_examples=examples[name],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 99), st.lists(st.tuples(_NUMBER, _NUMBER, _NUMBER), min_size=1, max_size=3))
    def damage(which, steps):
        target = case if which < 40 else names[which % len(names)]
        for file, raw in files.items():
            (home / file).write_bytes(mutate(raw, file, steps) if file == target else raw)
        count["loaded" if _is_sound(home / case) else "refused"] += 1

    damage()
    assert count["refused"] + count["loaded"] >= examples[name]
    assert count["refused"] > examples[name] // 2
    with capsys.disabled():
        print(f"\nfuzzed {name}: {sum(count.values())} damaged inputs, {count}, no traceback")


def _is_sound(case: Path) -> bool:
    """Return whether the case loads; then its problem is sound, else every sentence is one line."""
    try:
        loaded = load_case(case)
        assembly = assemble(loaded)
    except BadInput as error:
        assert error.messages
        assert all(message and message.isprintable() for message in error.messages), error.messages
        return False
    conflicts(assembly.problem)
    problem_from_document(json.loads(problem_text(assembly.problem)))
    assert np.isfinite(assembly.temperature_c).all()
    assert np.isfinite(assembly.btc_per_th_s_h).all()
    return True
