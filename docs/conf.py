"""Sphinx: ``sphinx-build -W --keep-going docs docs/_build``.  No page loads anything from another host."""

import re
import sys
from dataclasses import is_dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from flexmine import __version__
from flexmine.problem.fields import BY_STEP, fields_of

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


def listed_once(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace each pattern of a table of contents by the pages that the page does not name itself, maybe none."""
    folder, lines = (Path(app.srcdir) / page).parent, source[0].splitlines()
    named, written = {*lines, page.rpartition("/")[2]}, []
    for line in lines:
        if re.fullmatch(r"([\w-]+/)*\*", line):
            found = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.glob(f"{line}.md")} - named
            written += sorted(found)
            named |= found
        else:
            written.append(line)
    source[0] = "\n".join(written) + "\n"


def described_fields(  # noqa: PLR0917 - as autodoc calls it
    app: Sphinx, what: str, name: str, part: object, options: object, lines: list[str]
) -> None:
    """List the fields of a dataclass of the Problem, which describes them in place of its docstring."""
    if isinstance(part, type) and is_dataclass(part) and name.startswith("flexmine.problem."):
        lines += ["", "Attributes", "----------"]
        for f in fields_of(part):
            kind = f.kind.__name__
            if f.shape in BY_STEP:
                kind = f"ndarray of {kind}, shape (T,)"
            elif f.shape == "curve":
                kind = f"ndarray of {kind}, a value for each breakpoint"
            elif f.shape != "one":
                kind = f"tuple of {'pairs of ' if f.shape == 'pairs' else ''}{kind}"
            unit = "" if f.about.unit == "-" or f.kind is bool else f" [{f.about.unit}]"
            words = f.about.words[0].upper() + f.about.words[1:]
            lines += [f"{f.name} : {kind}", f"    {words}{unit}.".replace("`", "``")]


def plain_citations(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Show citations of docstrings as [1]: numpydoc makes their labels unique, and MyST keeps it from undoing that."""
    for reference in doctree.findall(nodes.reference):
        for text in list(reference.findall(nodes.Text)):
            shown = re.fullmatch(r"\[R[0-9a-f]+-(\d+)\]", text.astext())
            if shown:
                text.parent.replace(text, nodes.Text(f"[{shown[1]}]"))


def setup(app: Sphinx) -> None:
    """Connect what this project adds."""
    app.connect("doctree-resolved", plain_citations)
    app.connect("source-read", listed_once)
    app.connect("autodoc-process-docstring", described_fields, priority=100)  # before numpydoc reads the docstring
