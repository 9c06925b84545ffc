"""Certified plans without the MIP solver's machinery: LP bound, threshold rounding, cuts, a short branch and bound.

All of it works on the compiled matrix of the one formulation; nothing here writes a row of the model a second time.
Read `search.py` first.
"""
