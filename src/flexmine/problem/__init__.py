"""The seam between the domain and the mathematics: every number of a plan's problem, and its public twin on disk."""

from flexmine.problem.model import (
    ContainerClass,
    Floats,
    Group,
    History,
    Ints,
    Miners,
    Problem,
    Site,
    Source,
    StartTerms,
    StartTier,
    TimeAxis,
)

__all__ = [
    "ContainerClass",
    "Floats",
    "Group",
    "History",
    "Ints",
    "Miners",
    "Problem",
    "Site",
    "Source",
    "StartTerms",
    "StartTier",
    "TimeAxis",
]
