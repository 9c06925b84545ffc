"""Parts of a back-test that are damaged, of another back-test, or in the way."""

import json

import pytest

import flexmine
from flexmine.errors import BadInput
from flexmine.studies import backtest as module
from flexmine.studies.backtest import read_backtest
from flexmine.studies.parts import Parts
from years import write_backtest


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with one finished part of one day."""
    folder = tmp_path_factory.mktemp("parts")
    flexmine.backtest(write_backtest(folder, days=1, policies="threshold"), folder / "out")
    return folder


def cut(path, share):
    """Keep the first `share` of a file."""
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])


def of_another(path):
    """Write the digest of another back-test into a part."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"digest": "0" * 64}))


DAMAGE = {
    "table cut off at a line": lambda csv, _: csv.write_text("".join(csv.read_text().splitlines(keepends=True)[:12])),
    "table cut off": lambda csv, _: cut(csv, 0.5),
    "table empty": lambda csv, _: cut(csv, 0),
    "table gone": lambda csv, _: csv.unlink(),
    "JSON cut off": lambda _, about: cut(about, 0.5),
    "JSON of a list": lambda _, about: about.write_text("[]"),
    "of another back-test": lambda _, about: of_another(about),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_part_is_run_again(whole, kind):
    """*Proves:* whatever a disk has left of a part, or another run has put in its place, the result is the same bytes.

    *Sensitivity:* a table cut off at the end of a line passes for a shorter back-test that earned less.
    """
    csv, about = (whole / "out" / "parts" / f"threshold-1.{end}" for end in ("csv", "json"))
    before = csv.read_bytes(), about.read_bytes(), (whole / "out" / "summary.csv").read_bytes()
    DAMAGE[kind](csv, about)
    flexmine.backtest(whole / "backtest.yaml", whole / "out")
    assert (csv.read_bytes(), about.read_bytes(), (whole / "out" / "summary.csv").read_bytes()) == before


def test_beginning_anew_takes_away_parts_alone(whole):
    """*Proves:* what somebody has put beside the parts stays.  *Sensitivity:* everything with a dot was removed."""
    note = whole / "out" / "parts" / "read.me"
    note.write_text("mine")
    Parts.opened(whole / "out", "another", fresh=True)
    assert [f.name for f in note.parent.iterdir()] == ["read.me"]
    note.unlink()


def test_a_part_that_vanishes_is_no_shorter_table(whole, monkeypatch):
    """*Proves:* where another process takes parts away, the run is refused.

    *Sensitivity:* a summary without the policy, as if nobody had asked for it.
    """
    setup = read_backtest(whole / "backtest.yaml")
    monkeypatch.setattr(Parts, "put", lambda *_: None)
    with pytest.raises(BadInput, match="a part was taken away"):
        module.run_all(setup, Parts.opened(whole / "gone", setup.digest, fresh=False), 1)


def test_a_worker_that_reads_another_file_is_refused(whole):
    """*Proves:* what is changed while parts run is not mixed with what was read.

    *Sensitivity:* parts of two files in one summary.
    """
    with pytest.raises(BadInput, match="was changed while it ran"):
        module._in_a_worker(whole / "backtest.yaml", "0" * 64, "threshold", 1)
