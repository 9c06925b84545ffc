"""The databases that storms break over; what needs a server is collected only where one is named."""

import pytest

from databases import BACKENDS, SERVER, empty_database

collect_ignore = [] if SERVER else ["test_far_databases.py"]


@pytest.fixture(params=BACKENDS)
def store_line(request, tmp_path):
    """The line of a job file that names an empty database; none for SQLite in its usual place."""
    if request.param == "sqlite":
        yield ""
        return
    with empty_database(request.param, tmp_path) as url:
        yield f'store: "{url}"\n'
