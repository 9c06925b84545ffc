"""The parts of a back-test in a folder: one for each policy and seed, each whole or not there."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from flexmine.durable import write_durably
from flexmine.errors import BadInput
from flexmine.studies.run import Run
from flexmine.studies.schema import POLICIES

MARK = "backtest.json"
FOLDER = "parts"


@dataclass(frozen=True)
class Parts:
    """Finished parts below `folder`, all of one back-test, told by its digest."""

    folder: Path
    digest: str

    @classmethod
    def opened(cls, folder: Path, digest: str, *, fresh: bool) -> Parts:
        """Return the parts of the back-test `digest` in `folder`, which is made where it is missing.

        Raises
        ------
        BadInput
            The folder holds another back-test, and `fresh` is not set, or something else.
        """
        mark = folder / MARK
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"{folder}: is no folder; name another with --out")
        if folder.is_dir() and any(folder.iterdir()) and not mark.is_file():
            raise BadInput(f"{folder}: holds no back-test that flexmine wrote; name another folder with --out")
        if mark.is_file() and not fresh and _digest_of(mark) != digest:
            raise BadInput(
                f"{folder}: holds a back-test of another file, other series or another version; --fresh replaces it, "
                "or name another folder with --out"
            )
        if fresh:
            for old in (f for policy in POLICIES for f in (folder / FOLDER).glob(f"{policy}-[0-9]*.*")):
                old.unlink()
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        write_durably(mark, (json.dumps({"schema": "flexmine-backtest-result/1", "digest": digest}) + "\n").encode())
        return cls(folder, digest)

    def get(self, policy: str, seed: int) -> Run | None:
        """Return the part of a `policy` and a `seed`, None if it is not finished, damaged or of another back-test."""
        table, about = self._paths(policy, seed)
        if not (table.is_file() and about.is_file()):
            return None
        raw = table.read_bytes()
        try:
            told = json.loads(about.read_text(encoding="utf-8"))
        except ValueError:  # cut off
            return None
        if not isinstance(told, dict) or {key: told.pop(key, None) for key in ("digest", "table")} != self._seal(raw):
            return None
        # As text first: pandas 2 reads floats with an error in the last digit.
        steps = pd.read_csv(io.BytesIO(raw), dtype=str)
        numbers = {name: float for name in steps.columns if name != "interval_start"}
        return Run(**told, steps=steps.astype(numbers))

    def put(self, run: Run) -> None:
        """Keep a part; what says that it is finished is written last."""
        table, about = self._paths(run.policy, run.seed)
        text = io.StringIO()
        run.steps.assign(interval_start=[t.isoformat() for t in run.steps["interval_start"]]).to_csv(
            text, index=False, lineterminator="\n"
        )
        raw = text.getvalue().encode()
        write_durably(table, raw)
        told = {f.name: getattr(run, f.name) for f in fields(run) if f.name != "steps"} | self._seal(raw)
        write_durably(about, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())

    def _seal(self, raw: bytes) -> dict[str, str]:
        """Return of which back-test a part is, and the SHA-256 of its table."""
        return {"digest": self.digest, "table": hashlib.sha256(raw).hexdigest()}

    def _paths(self, policy: str, seed: int) -> tuple[Path, Path]:
        base = self.folder / FOLDER / f"{policy}-{seed}"
        return base.with_suffix(".csv"), base.with_suffix(".json")


def _digest_of(mark: Path) -> str:
    try:
        told = json.loads(mark.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{mark}: cannot be read: {error}; --fresh begins anew") from error
    return str(told.get("digest")) if isinstance(told, dict) else ""
