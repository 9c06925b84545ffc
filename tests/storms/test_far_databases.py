"""A database at the end of a network that is slow, breaks in the middle of a transaction, or leads nowhere.

It needs a PostgreSQL server, see :mod:`databases`; without one this file is not collected.
"""

from datetime import date

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from databases import empty_database
from proxy import Proxy
from unattended import DOCUMENTED, INTERNAL, Plant, command

FIRST = date(2024, 5, 1)


@pytest.fixture
def near(tmp_path):
    """URL of an empty database, without anything between."""
    with empty_database("postgresql", tmp_path) as url:
        yield make_url(url)


@pytest.fixture
def proxy(near):
    opened = Proxy(near.host, near.port or 5432)
    yield opened
    opened.close()


def through(near, proxy):
    url = near.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    return f'store: "{url}"\n'


def nightly(plant):
    return command("nightly", plant.file, "--day", plant.night_of, "--at", plant.evening.isoformat())


def check_refused(plant, code, output, expected=DOCUMENTED):
    assert code in expected, output
    assert not [word for word in INTERNAL if word in output], output
    plant.check_published()


def test_two_hundred_milliseconds(tmp_path, near, proxy):
    """*Proves:* a night, the health and a backup succeed over a way of 200 ms there and back.

    *Sensitivity:* a wait that is shorter than a few round trips.
    """
    plant = Plant(tmp_path / "plant", FIRST, 3, through(near, proxy))
    plant.check_next_night()
    proxy.delay_s, before = 0.1, proxy.sent
    code, output = nightly(plant)
    assert code == 0, output
    print(f"{proxy.sent - before} pieces sent by the client in a night")
    assert command("backup", plant.file, "--to", tmp_path / "b.tar.gz")[0] == 0
    assert command("health", plant.file, "--at", plant.evening.isoformat())[0] == 0


def breaks(tmp_path, near, proxy, pick):
    """Break the way at some of the pieces that a client sends in a night; each time the next night has to succeed."""
    plant = Plant(tmp_path / "plant", FIRST, 80, through(near, proxy))
    plant.check_next_night()
    before = proxy.sent
    assert nightly(plant)[0] == 0
    pieces = proxy.sent - before
    plant.check_next_night()
    failed, points = 0, pick(pieces)
    for at in points:
        proxy.break_at = proxy.sent + at
        code, output = nightly(plant)
        proxy.break_at = None
        check_refused(plant, code, output)
        failed += code == 2
        plant.check_next_night()
    print(f"{pieces} pieces in a night; broken at {len(points)} of them, {failed} nights ended with exit 2")
    # Not all: a connection that is found broken before it is used is replaced.
    assert failed >= 1


def test_the_way_breaks(tmp_path, near, proxy):
    """*Proves:* wherever the way to the database breaks, also inside a transaction, the command ends with an exit code
    of the runbook and a reason, what is published stays whole, and the next run succeeds and has lost nothing.

    *Sensitivity:* an error of the driver that nobody expects is an internal error; a connection that rested while the
    plan was made, and is not asked whether it is still there, fails the night.
    """
    breaks(tmp_path, near, proxy, lambda pieces: range(pieces // 16, pieces // 2, pieces // 12))


@pytest.mark.slow
def test_the_way_breaks_anywhere(tmp_path, near, proxy):
    """*Proves:* the same at every third piece.  *Sensitivity:* as above."""
    breaks(tmp_path, near, proxy, lambda pieces: range(1, pieces + 1, 3))


def test_a_connection_that_was_forgotten_while_the_plan_was_made(tmp_path, near, proxy, monkeypatch):
    """*Proves:* where the way forgets a resting connection, as a firewall does, the night goes on with a new one.

    *Sensitivity:* without a question before use the plan is made, and the night ends with exit 2.
    """
    from flexmine.jobs import plan_and_store

    plant = Plant(tmp_path / "plant", FIRST, 3, through(near, proxy))
    plant.check_next_night()
    real = plan_and_store.plan_inputs

    def forgotten(*arguments):
        made = real(*arguments)
        proxy.break_all()
        return made

    monkeypatch.setattr(plan_and_store, "plan_inputs", forgotten)
    code, output = nightly(plant)
    assert code == 0, output


def test_the_way_is_closed(tmp_path, near, proxy):
    """*Proves:* no way at all: exit 2 with the address, `health` critical with it, and the published plan stays; once
    there is a way again, all is made up for.

    *Sensitivity:* a traceback of the driver.
    """
    plant = Plant(tmp_path / "plant", FIRST, 4, through(near, proxy))
    plant.check_next_night()
    proxy.close()
    code, output = nightly(plant)
    check_refused(plant, code, output, {2})
    assert f"127.0.0.1:{proxy.port}" in output and "cannot be opened" in output
    code, output = command("health", plant.file, "--at", plant.evening.isoformat())
    assert code == 2 and "CRITICAL: store: store postgresql+psycopg://" in output
    again = Proxy(near.host, near.port or 5432)
    text_of_job = plant.file.read_text(encoding="utf-8").replace(f":{proxy.port}/", f":{again.port}/")
    plant.file.write_text(text_of_job, encoding="utf-8")
    plant.check_next_night()
    again.close()


def test_a_server_that_takes_no_writes(tmp_path, near):
    """*Proves:* a server that was made read-only, as a standby is, and a role that may not write: exit 2 in its words,
    `health` critical with the place and the reason though all can be read, nothing published anew.

    *Sensitivity:* these are no operational errors to the driver, and so were internal errors to us.
    """
    plant = Plant(tmp_path / "plant", FIRST, 4, f'store: "{near.render_as_string(hide_password=False)}"\n')
    plant.check_next_night()
    admin = create_engine(near.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = near.database
    with admin.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    refused = "cannot execute UPDATE in a read-only transaction"
    check_writes_refused(plant, refused, "read-only transaction")
    with admin.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        connection.execute(text(f"CREATE ROLE {name}_reader LOGIN"))
        for table in ("runs", "attempts", "readings", "alembic_version"):
            connection.execute(text(f"GRANT SELECT ON {table} TO {name}_reader"))
    job = plant.file.read_text(encoding="utf-8")
    try:
        reader = near.set(username=f"{name}_reader").render_as_string(hide_password=False)
        plant.file.write_text(job.replace(near.render_as_string(hide_password=False), reader), encoding="utf-8")
        check_writes_refused(plant, "permission denied for table alembic_version", "permission denied for table")
    finally:
        plant.file.write_text(job, encoding="utf-8")
        with admin.connect() as connection:
            connection.execute(text(f"DROP OWNED BY {name}_reader"))
            connection.execute(text(f"DROP ROLE {name}_reader"))
        admin.dispose()
    plant.check_next_night()


def check_writes_refused(plant, told_by_health, told_by_night):
    found = plant.look(plant.evening)
    critical = [c.text for c in found.checks if c.name == "store" and c.level.name == "CRITICAL"]
    assert any(told_by_health in told and "postgresql" in told for told in critical), found.lines
    assert ("database_writable", {}, 0.0) in found.figures
    code, output = nightly(plant)
    check_refused(plant, code, output, {2})
    assert told_by_night in output
