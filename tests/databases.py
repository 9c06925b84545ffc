"""The databases that tests of the store run on: SQLite always, PostgreSQL where a server is named.

``FLEXMINE_TEST_POSTGRES=postgresql://root@127.0.0.1:5432/postgres`` names one; every test gets a database of its own
there, made and dropped by the test.
"""

import os
import uuid
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

SERVER = os.environ.get("FLEXMINE_TEST_POSTGRES")
BACKENDS = ["sqlite", "postgresql"] if SERVER else ["sqlite"]


@contextmanager
def empty_database(backend, folder):
    """Give the URL of an empty database, as a job file would name it."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}"
        return
    server = make_url(SERVER).set(drivername="postgresql+psycopg")
    name = f"flexmine_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
