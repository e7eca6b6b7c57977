# SPDX-License-Identifier: Apache-2.0
"""Transactions."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from nova import errors
from nova.db import instances
from nova.db.engine import Database, Transaction
from nova.db.instances.rows import INSTANCES
from tests.unit.db.contracts.samples import ACTIVE, add, at_once, read

C = INSTANCES.c


class Transactions:
    """Commit, roll-back, tries again."""

    def test_messages_go_out_in_order_after_the_commit(self, db: Database) -> None:
        seen: list[object] = []

        def count() -> int:
            with db.transaction(write=False) as reader:
                return len(instances.find(reader, instances.InstanceQuery()))

        with db.transaction() as tx:
            tx.after_commit(lambda: seen.append(count()))
            tx.after_commit(lambda: seen.append("second"))
            instances.insert(tx, [ACTIVE])
            assert seen == []
        assert seen == [1, "second"]

    def test_a_roll_back_leaves_neither_rows_nor_messages(self, db: Database) -> None:
        seen: list[str] = []
        with pytest.raises(KeyError), db.transaction() as tx:  # noqa: PT012
            instances.insert(tx, [ACTIVE])
            tx.after_commit(lambda: seen.append("sent"))
            raise KeyError
        with db.transaction(write=False) as tx:
            assert instances.find(tx, instances.InstanceQuery()) == []
        assert seen == []

    def test_a_read_transaction_refuses_to_write(self, db: Database) -> None:
        with pytest.raises(errors.InternalError), db.transaction(write=False) as tx:
            instances.insert(tx, [ACTIVE])

    def test_the_time_of_a_transaction_does_not_move(self, db: Database) -> None:
        with db.transaction() as tx:
            one, two = instances.insert(tx, [ACTIVE]), instances.insert(tx, [ACTIVE])
        assert one[0].created_at == two[0].created_at == tx.now
        assert read(db, one[0].uuid).created_at == tx.now

    def test_a_caught_duplicate_does_not_spoil_the_transaction(self, db: Database) -> None:
        made = add(db)
        with db.transaction() as tx:
            other = instances.insert(tx, [ACTIVE])[0]
            with pytest.raises(errors.AlreadyExists), tx.unique("taken"):
                tx.execute(update(INSTANCES).where(C.uuid == other.uuid).values(uuid=made.uuid))
            instances.update(tx, other.uuid, {"display_name": "still works"})
        assert read(db, other.uuid).display_name == "still works"

    def test_text_that_is_no_text_is_the_callers_fault(self, db: Database) -> None:
        with pytest.raises(errors.InvalidInput):
            db.run(lambda tx: instances.get(tx, "\ud800"), write=False)

    def test_two_that_block_each_other_both_succeed_in_the_end(self, db: Database) -> None:
        one, two = add(db), add(db)
        barrier = threading.Barrier(2)
        calls: list[str] = []

        def both(first: str, second: str) -> None:
            def work(tx: Transaction) -> None:
                calls.append(first)
                instances.update(tx, first, {"progress": 1})
                if len(calls) <= 2 and tx.dialect != "sqlite":
                    barrier.wait(timeout=10)
                instances.update(tx, second, {"progress": 2})

            db.run(work)

        outcomes = at_once([lambda: both(one.uuid, two.uuid), lambda: both(two.uuid, one.uuid)])
        assert outcomes == [None, None]
        assert len(calls) == (2 if db.url.get_backend_name() == "sqlite" else 3)

    def test_increments_by_many_are_not_lost(self, db: Database) -> None:
        made = add(db)
        more = update(INSTANCES).where(C.uuid == made.uuid).values(progress=C.progress + 1)
        assert not [o for o in at_once([lambda: db.run(lambda tx: tx.execute(more).rowcount)] * 24) if o != 1]
        assert read(db, made.uuid).progress == 24

    def test_statements_are_counted(self, db: Database) -> None:
        before = db.statements
        with db.transaction(write=False) as tx, db.log.recording() as texts:
            tx.execute(select(C.id))
        assert db.statements - before == len(texts) == 1
