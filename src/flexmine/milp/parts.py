"""The ideas that bring sets, numbers and rows of their own; a new kind of limit is a module that is named here.

Each has ``INDEX`` (letter -> index sets), ``sets(m, p)``, ``numbers(p, classes)`` and ``rows(m, p, classes)``.
"""

from flexmine.milp import energy, groups

PARTS = (groups, energy)
