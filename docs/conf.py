"""Sphinx: ``sphinx-build -W --keep-going docs docs/_build``.  No page loads anything from another host."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from flexmine import __version__

project = "flexmine"
author = "The flexmine authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "mathml"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext"]
autosummary_generate = False

myst_enable_extensions = ["dollarmath", "deflist", "fieldlist", "attrs_block"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # types stand under Parameters, with their units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"flexmine {version}"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["flexmine.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0a7d70", "color-brand-content": "#0a7d70"},
    "dark_css_variables": {"color-brand-primary": "#22b3a1", "color-brand-content": "#22b3a1"},
}


def without_empty_globs(app: Sphinx, page: str, source: list[str]) -> None:
    """Drop patterns of a table of contents that add no page: a folder that holds none yet is no fault."""
    place = Path(app.srcdir) / page
    lines = source[0].splitlines()

    def adds(pattern: str) -> bool:
        found = {p.relative_to(place.parent).with_suffix("").as_posix() for p in place.parent.glob(f"{pattern}.md")}
        return bool(found - set(lines) - {place.name})

    kept = [line for line in lines if not re.fullmatch(r"([\w-]+/)*\*", line) or adds(line)]
    source[0] = "\n".join(kept) + "\n"


def setup(app: Sphinx) -> None:
    """Connect what this project adds."""
    app.connect("source-read", without_empty_globs)
