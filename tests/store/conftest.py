"""The databases that the tests of the store run on, see :mod:`databases`."""

import pytest

from databases import BACKENDS, empty_database


@pytest.fixture(params=BACKENDS)
def store_url(request, tmp_path):
    """URL of an empty database, as a job file would name it."""
    with empty_database(request.param, tmp_path) as url:
        yield url
