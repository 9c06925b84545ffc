"""The command as a shell runs it, and shipped cases with pieces of their text replaced."""

import subprocess
import sys
from pathlib import Path

from flexmine.resources import shipped_path


def flexmine(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python -m flexmine`` with the arguments."""
    command = [sys.executable, "-m", "flexmine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def edited(folder: Path, name: str, *replacements: tuple[str, str]) -> Path:
    """Write a shipped case with pieces of its text replaced."""
    text = shipped_path(f"shipped:cases/{name}").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    file = folder / "case.yaml"
    file.write_text(text, encoding="utf-8")
    return file
