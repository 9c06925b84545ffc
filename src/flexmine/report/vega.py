"""Vega, Vega-Lite and vega-embed as one script, as vl-convert bundles them; bundled once and kept for the user.

Bundling takes longer than a plan.  The kept script belongs to one version of vl-convert, so that a report has the same
bytes whether it was made from the kept script or from a fresh one.
"""

from __future__ import annotations

import hashlib
import logging
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

LOG = logging.getLogger(__name__)
VEGA_LITE = "6.4"
ENTRY = "window.vegaEmbed = vegaEmbed;"


@cache
def vega_script() -> str:
    """Return the script; it leaves ``vegaEmbed`` at the window, and holds no end of a script element."""
    kept = kept_script()
    found = _read(kept)
    if found is not None:
        return found
    script = _bundled()
    try:
        _write(kept, script)
    except OSError as failure:
        LOG.info("the script of the charts is not kept: %s", failure)
    return script


def kept_script() -> Path:
    """Return where the script is kept."""
    return user_cache_path("flexmine") / f"vega-lite-{VEGA_LITE}-vl-convert-{version('vl-convert-python')}.js"


def _bundled() -> str:
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(ENTRY, vl_version=VEGA_LITE)
    return bundle.replace("</script", "<\\/script")


def _read(file: Path) -> str | None:
    """Return a kept script that is whole, as the checksum in its first line shows; None without one."""
    try:
        head, _, script = file.read_bytes().decode("utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if head == _seal(script) else None


def _write(file: Path, script: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(f"{_seal(script)}\n{script}".encode())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _seal(script: str) -> str:
    return f"// sha256 {hashlib.sha256(script.encode()).hexdigest()}"
