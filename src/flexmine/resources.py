"""Where the shipped models and data lie: at the top of a checkout, or inside an installed wheel."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from flexmine.errors import BadInput

PREFIX = "shipped:"
_INSTALLED = Path(__file__).parent / "_shipped"
_CHECKOUT = Path(__file__).parents[2]


def shipped_root(kind: str) -> Path:
    """Return the folder of the shipped files of one `kind`, ``models`` or ``data``.

    Raises
    ------
    BadInput
        This installation has no such folder.
    """
    for top in (_INSTALLED, _CHECKOUT):
        if (top / kind).is_dir():
            return top / kind
    raise BadInput(f"this installation of flexmine carries no {kind}; install the wheel or work in a checkout")


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names of the shipped YAML models in ``models/FOLDER``, sorted; `folder` is, for example, ``cases``."""
    return tuple(sorted(p.stem for p in (shipped_root("models") / folder).glob("*.yaml")))


def shipped_path(reference: str) -> Path:
    """Return the file of a `reference` ``shipped:NAME``: a CSV of ``data``, else a YAML file of ``models``.

    Raises
    ------
    BadInput
        No such file is shipped; the message lists those that are.
    """
    name = reference.removeprefix(PREFIX)
    data = name.endswith(".csv")
    root = shipped_root("data" if data else "models")
    path = root / (name if data else f"{name}.yaml")
    # os.path, unlike Path.is_file, says no to a name that no file can have, instead of raising.
    if os.path.isfile(path) and root.resolve() in path.resolve().parents:  # noqa: PTH113
        return path
    pattern = "**/*.csv" if data else "**/*.yaml"
    known = sorted(p.relative_to(root).with_suffix(p.suffix if data else "").as_posix() for p in root.glob(pattern))
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {PREFIX}{near[0]}?" if near else "."
    raise BadInput(f"{short(reference)} is not shipped{hint} Shipped: {', '.join(known)}")


def shipped_reference(path: Path) -> str | None:
    """Return ``shipped:NAME`` for a file that lies in the shipped folders, else None."""
    real = Path(os.path.realpath(path))  # unlike Path.resolve no error where links lead in a circle
    for kind in ("models", "data"):
        for top in (_INSTALLED, _CHECKOUT):
            root = (top / kind).resolve()
            if root in real.parents:
                inside = real.relative_to(root)
                return PREFIX + (inside.with_suffix("") if inside.suffix == ".yaml" else inside).as_posix()
    return None


def short(name: object) -> str:
    """Return a name for a message, cut to 200 characters."""
    text = str(name)
    return text if len(text) <= 200 else f"{text[:200]}..."
