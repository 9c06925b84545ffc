"""Pyomo model -> sparse matrix -> HiGHS; options checked, statuses never dropped."""
