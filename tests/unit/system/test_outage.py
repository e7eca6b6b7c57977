# SPDX-License-Identifier: Apache-2.0
"""What a process remembers of the database's last outage."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from nova import errors
from nova.db.engine import Database, DatabaseSettings
from nova.system.outage import Outage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def outage_of(clock: Clock, *moments: float) -> Outage:
    made = Outage(monotonic=clock)
    for moment in moments:
        clock.now = moment
        made.note()
    return made


def test_without_a_failure_there_was_no_outage() -> None:
    assert Outage(monotonic=Clock()).lasted_s(within_s=60) == 0


def test_an_outage_lasts_from_its_first_failure_to_its_last() -> None:
    clock = Clock()
    assert outage_of(clock, 1000, 1010, 1020).lasted_s(within_s=60) == 20


def test_an_outage_that_is_long_over_counts_no_more() -> None:
    clock = Clock()
    outage = outage_of(clock, 1000, 1020)
    clock.now = 1081
    assert outage.lasted_s(within_s=60) == 0


def test_failures_far_apart_are_outages_of_their_own() -> None:
    clock = Clock()
    assert outage_of(clock, 1000, 2000, 2005).lasted_s(within_s=60) == 5


def test_a_database_that_does_not_answer_is_remembered() -> None:
    db = Database(DatabaseSettings(url="mysql://nova:x@127.0.0.1:1/nova"), sleep=lambda seconds: None)
    with pytest.raises(errors.Unavailable):
        db.run(lambda tx: tx.execute(text("select 1")))
    assert db.outage.lasted_s(within_s=60) > 0
