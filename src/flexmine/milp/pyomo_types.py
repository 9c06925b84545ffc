"""What Pyomo, which comes without types, takes and gives, by name: so that a rule says what it is for."""

from __future__ import annotations

from typing import Any, TypeAlias

Model: TypeAlias = Any
"""A concrete model."""
Term: TypeAlias = Any
"""A linear expression, or a number where nothing of it is decided."""
Row: TypeAlias = Any
"""A comparison of two terms, or ``Constraint.Skip``."""
Bounds: TypeAlias = tuple[Term, Term]
"""Least and most of a variable."""
