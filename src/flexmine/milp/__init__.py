"""The Pyomo model, one module per physical idea.

ClassData as in docs/mathematics: classes k of N_k identical containers, steps t, sources j, mode segments s.
History (t < 0) enters as columns with equal bounds, so that every sum simply reaches back.
"""
