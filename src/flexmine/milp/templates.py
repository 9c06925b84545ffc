"""Whole families of rows from one expression.

A rule that never looks at the value of its index (no ``if``, no ``range`` of it) can be called once, with a template
of the index, in place of once for each row.  Pyomo 6.10 does so when two flags of its modules are set; it documents
neither, so that tests compare what comes out entry by entry with what the rules give row by row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pyomo.core as pe
import pyomo.core.base.constraint as constraint_module
import pyomo.core.base.objective as objective_module

# Pyomo warns of a method of its own that it calls where parameters meet a template.
logging.getLogger("pyomo.core.base.param").addFilter(lambda record: "sparse_iteritems" not in record.getMessage())


@contextmanager
def whole_family(m: pe.ConcreteModel, *over: pe.Set) -> Iterator[None]:
    """Call the rules that are declared inside once for all their rows, where the model asks for it.

    Parameters
    ----------
    m : ConcreteModel
        With an attribute ``templated``.
    *over : Set
        Sets that may be empty; over an empty one there is no template, and no row either.
    """
    kept = constraint_module.TEMPLATIZE_CONSTRAINTS, objective_module.TEMPLATIZE_OBJECTIVES
    wanted = m.templated and all(len(members) for members in over)
    constraint_module.TEMPLATIZE_CONSTRAINTS = objective_module.TEMPLATIZE_OBJECTIVES = wanted
    try:
        yield
    finally:
        constraint_module.TEMPLATIZE_CONSTRAINTS, objective_module.TEMPLATIZE_OBJECTIVES = kept
