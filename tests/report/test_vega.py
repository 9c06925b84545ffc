"""The script of the charts: bundled once, kept, and never taken damaged."""

from __future__ import annotations

import re

import pytest

from flexmine.report import vega


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(vega, "user_cache_path", lambda name: tmp_path / name)
    vega.vega_script.cache_clear()
    yield tmp_path
    vega.vega_script.cache_clear()


def again() -> str:
    vega.vega_script.cache_clear()
    return vega.vega_script()


def test_a_kept_script_is_the_bundled_one_and_a_damaged_one_is_made_anew(own_cache, monkeypatch):
    """*Proves:* fresh, kept and mended script are the same; nothing but the kept file is left in the folder.

    *Sensitivity:* a script that lost its end, taken as it is, would leave every chart of a report blank.
    """
    fresh = vega.vega_script()
    assert "vegaEmbed" in fresh
    assert not re.search("</script", fresh)
    bundled = []
    honest = vega._bundled
    monkeypatch.setattr(vega, "_bundled", lambda: bundled.append(1) or honest())
    assert again() == fresh
    assert not bundled
    kept = vega.kept_script()
    kept.write_bytes(kept.read_bytes()[:-100])
    assert again() == fresh
    assert len(bundled) == 1
    assert again() == fresh
    assert len(bundled) == 1
    assert [f.name for f in kept.parent.iterdir()] == [kept.name]


def test_a_cache_that_cannot_be_written_costs_time_only(own_cache, monkeypatch):
    """*Proves:* where the cache is not a folder, the script is bundled and returned.

    *Sensitivity:* an error here would take the report away from a job without a home.
    """
    (own_cache / "flexmine").write_text("in the way")
    monkeypatch.setattr(vega, "_bundled", lambda: "window.vegaEmbed")
    assert vega.vega_script() == "window.vegaEmbed"
