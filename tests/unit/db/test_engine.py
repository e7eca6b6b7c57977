# SPDX-License-Identifier: Apache-2.0
"""The suites of engine on SQLite."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova import errors
from nova.db import instances
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from tests.unit.db.contracts import engine
from tests.unit.db.contracts.samples import add, at_once, read

HOLD_THE_WRITE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.rollback()
connection.close()
"""


class TestTransactions(engine.Transactions):
    """On SQLite."""


def test_a_writer_waits_for_another_process_and_readers_do_not(db: Database, tmp_path: Path) -> None:
    made = add(db)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_WRITE_LOCK, str(tmp_path / "nova.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(lambda: db.run(lambda tx: instances.update(tx, made.uuid, {"progress": 5})))
            assert read(db, made.uuid).progress == 0
            assert not writer.done()
            other.stdin.close()
            assert writer.result(timeout=10).progress == 5


def test_a_transaction_inside_another_is_refused_at_once(db: Database) -> None:
    with db.transaction(), pytest.raises(errors.InternalError), db.transaction():
        pass
    db.run(lambda tx: instances.find(tx, instances.InstanceQuery()))


def test_a_database_in_memory_serves_many_threads() -> None:
    memory = Database(DatabaseSettings(url="sqlite://"))
    with memory.transaction() as tx:
        Base.metadata.create_all(tx.connection)
    outcomes = at_once([lambda: add(memory).display_name] * 12)
    assert outcomes == ["web"] * 12
    memory.dispose()
