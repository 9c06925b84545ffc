"""The seam between the domain and the mathematics: every number of a plan's problem, and its public twin on disk."""

from flexmine.problem.fields import Floats, Ints
from flexmine.problem.model import (
    ContainerClass,
    EnergyLimit,
    Group,
    History,
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
    "EnergyLimit",
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
