"""Opening the database of the store: SQLite by default, any other by its URL; its tables brought up to date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from flexmine.errors import BadInput, printable

NEWEST_VERSION = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE = "sqlite"
WAIT_MS = 30_000
# Any number, the same in all processes: one of them at a time changes the tables of a server.
UPGRADE_LOCK = 7_310_240_910
LITTLE_ROOM_BYTES = 2**20
DAMAGE = ("malformed", "not a database", "disk image", "file is encrypted")
REFUSED = (DBAPIError, NoConnection)
"""What a database, or the way to it, may refuse at any moment: locked, full, read-only, no permission, gone."""
SERVER_WAITS = {
    "connect_timeout": 30,
    # A server that is not there any more is noticed within two minutes, and not after the hours that TCP allows.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "options": f"-c lock_timeout={WAIT_MS}",
}
"""How long PostgreSQL is waited for, unless the URL of the job says otherwise."""


StoreUrl = URL
"""For those who may name a store and know no database."""


class StoreDamaged(BadInput):
    """The database file cannot be read as one; the runs beside it still can."""


def database_url(text_of_url: str | None, folder: Path, beside: Path) -> URL:
    """Return the URL of the store.

    Parameters
    ----------
    text_of_url : str or None
        As the job states it; None: the SQLite file ``flexmine.db`` in `folder`.
    folder : Path
        Folder of all runs.
    beside : Path
        Folder to which a SQLite file is relative.

    Raises
    ------
    BadInput
        It is not a URL of a database.
    """
    if text_of_url is None:
        return URL.create(SQLITE, database=str(folder / "flexmine.db"))
    try:
        url = make_url(text_of_url)
    except ArgumentError as error:
        raise BadInput(
            f"store {text_of_url!r}: is not a URL of a database; write sqlite:///runs/flexmine.db or "
            "postgresql://user@host/name"
        ) from error
    if url.get_backend_name() == SQLITE and url.database not in (None, "", ":memory:"):
        return url.set(database=str(beside / str(url.database)))
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


@contextmanager
def refusals_told(doing: str) -> Iterator[None]:
    """Raise BadInput for whatever a database refuses: that concerns the database, and not a plan.

    Parameters
    ----------
    doing : str
        What cannot be done, such as ``the store cannot be read``.

    Raises
    ------
    BadInput
        With `doing` and the reason.
    """
    try:
        yield
    except REFUSED as error:
        raise BadInput(f"{doing}: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """Return the message of a database, its driver or the system, on one line."""
    said = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
    return printable(" ".join(str(said).split()))


def database_file(url: URL) -> Path:
    """Return the file of a SQLite database."""
    return Path(str(url.database))


def open_database(url: URL) -> Engine:
    """Open a database, making it where it is missing, and bring its tables up to this version.

    Raises
    ------
    StoreDamaged
        A SQLite file that is no longer a database.
    BadInput
        It cannot be reached or written, its driver is missing, or a newer flexmine has written it.
    """
    is_file = url.get_backend_name() == SQLITE
    shown = url.render_as_string(hide_password=True)
    try:
        if is_file and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(url)
        if is_file:
            event.listen(engine, "connect", _as_we_need_sqlite)
            event.listen(engine, "begin", _begin)
        with engine.begin() as connection:
            _check(connection, url)
            _upgrade(connection, shown)
    except ImportError as error:
        raise BadInput(f"store {shown}: its driver is not installed ({error}); install flexmine[postgres]") from error
    except (*REFUSED, OSError) as error:
        reason = reason_of(error)
        if is_file and any(word in reason for word in DAMAGE):
            raise StoreDamaged(f"store {shown}: {reason}") from error
        room = _little_room(database_file(url).parent) if is_file else ""
        raise BadInput(f"store {shown}: cannot be opened: {reason}{room}") from error
    return engine


def _little_room(folder: Path) -> str:
    """Return that a disk is full, which SQLite does not always report; empty where there is room, or no such folder."""
    if not folder.is_dir():
        return ""
    free = disk_usage(folder).free
    return f"; {free} bytes are free in {folder}" if free < LITTLE_ROOM_BYTES else ""


def _engine(url: URL) -> Engine:
    """Return a database; the connection to a server is tested before each use.

    A night plans for minutes while its connection is idle, and routers on the way may have dropped it by then.
    """
    if url.get_backend_name() != "postgresql":
        return create_engine(url)
    waits = {key: value for key, value in SERVER_WAITS.items() if key not in url.query}
    return create_engine(url, pool_pre_ping=True, connect_args=waits)


def try_to_write(engine: Engine) -> None:
    """Write into the database and roll back, so that nothing has changed.

    Raises
    ------
    BadInput
        It cannot be written, with the reason.
    """
    doing = f"store {engine.url.render_as_string(hide_password=True)}: cannot be written"
    with refusals_told(doing), engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        transaction.rollback()


def _as_we_need_sqlite(connection: Any, _: Any) -> None:
    # The driver would begin transactions by itself, and never around a change of tables.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={WAIT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch to write-ahead logging; unlike all other statements, this one does not wait for a lock by itself."""
    latest = time.monotonic() + WAIT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > latest:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _check(connection: Connection, url: URL) -> None:
    if url.get_backend_name() != SQLITE:
        return
    found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if found != "ok":
        raise StoreDamaged(f"store {url.database}: the file is damaged: {found}")


def _upgrade(connection: Connection, shown: str) -> None:
    """Bring the tables to this version; several processes may try at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    current = None
    if inspect(connection).has_table("alembic_version"):
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if current == NEWEST_VERSION:
        return
    if current is not None and current > NEWEST_VERSION:
        raise BadInput(
            f"store {shown}: its tables are of version {current}, this flexmine knows {NEWEST_VERSION}; a newer "
            "flexmine has written it, use that one"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
