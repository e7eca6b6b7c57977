# SPDX-License-Identifier: Apache-2.0
"""What our connection to MariaDB leaves out, and what it must not leave out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from nova.db.engine import Database, DatabaseSettings, Transaction
from tests.integration.databases import MariaDb


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    made = MariaDb.create()
    yield made
    made.close()


@pytest.fixture
def db(server: MariaDb) -> Iterator[Database]:
    made = Database(DatabaseSettings(url=server.fresh_url()))
    made.run(lambda tx: tx.execute(text("CREATE TABLE t (n INT, word VARCHAR(20))")))
    yield made
    made.dispose()


def rollbacks(server: MariaDb) -> int:
    [(_, value)] = server.execute("SHOW GLOBAL STATUS LIKE 'Com_rollback'")
    return int(value)


def add(tx: Transaction) -> None:
    tx.execute(text("INSERT INTO t VALUES (1, 'one')"))


def count(db: Database) -> int:
    return int(db.run(lambda tx: tx.execute(text("SELECT count(*) FROM t")).scalar_one(), write=False))


def test_after_a_commit_nothing_is_rolled_back(server: MariaDb, db: Database) -> None:
    db.run(add)
    before = rollbacks(server)
    for _ in range(3):
        db.run(add)
    assert rollbacks(server) == before


def test_what_was_only_read_is_let_go(server: MariaDb, db: Database) -> None:
    before = rollbacks(server)
    assert count(db) == 0
    assert rollbacks(server) == before + 1
    # No lock on the table is left behind: a change of the table would wait for it.
    server.execute("SET GLOBAL lock_wait_timeout = 5")
    other = Database(db.settings)
    other.run(lambda tx: tx.execute(text("ALTER TABLE t ADD COLUMN more INT")))
    other.dispose()


def test_what_fails_after_a_commit_on_the_same_connection_is_undone(db: Database) -> None:
    db.run(add)

    def fail(tx: Transaction) -> None:
        add(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run(fail)
    assert count(db) == 1


def test_columns_that_were_described_before_are_still_told_apart(db: Database) -> None:
    db.run(add)
    for _ in range(2):
        with db.transaction(write=False) as tx:
            assert tx.execute(text("SELECT n, word FROM t")).mappings().all() == [{"n": 1, "word": "one"}]
            assert tx.execute(text("SELECT word AS n, n AS word FROM t")).mappings().all() == [{"n": "one", "word": 1}]
            assert tx.execute(text("SELECT n + 0.5 AS n FROM t")).scalar_one() == 1.5


def test_a_column_is_described_by_the_same_object_each_time(db: Database) -> None:
    db.run(add)
    with db.engine.connect() as connection:
        fields = []
        for _ in range(2):
            connection.execute(text("SELECT n, word FROM t")).all()
            driver = connection.connection.driver_connection
            assert driver is not None
            fields.append(driver._result.fields)
    assert [each is same for each, same in zip(*fields, strict=True)] == [True, True]
