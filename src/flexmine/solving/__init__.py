"""Pyomo -> sparse matrix -> HiGHS: options checked, statuses never dropped.

Pyomo imports the whole of scipy.stats as soon as anything imports scipy: more time than a plan of a day takes.  Here it
learns, before scipy is imported, that scipy's sparse matrices are enough.
"""

from pyomo.common.dependencies import scipy_available


def _sparse_matrices_only(module: object, available: bool) -> None:
    if available:
        import scipy.sparse  # noqa: F401


if hasattr(scipy_available, "_callback"):
    scipy_available._callback = _sparse_matrices_only
