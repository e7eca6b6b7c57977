# SPDX-License-Identifier: Apache-2.0
"""The rounds of the walk over faults stop every operation at each of its steps."""

from __future__ import annotations

from tests.faults.matrix import table
from tests.faults.rounds import rounds, stops


def test_each_operation_stops_once_at_each_of_its_steps_in_few_rounds() -> None:
    steps = {"boot": ["fetch", "disks", "filters", "start"], "start": ["filters", "start"], "stop": ["shut down"]}
    chosen = rounds(steps)
    stopped = set().union(*(stops(steps, each) for each in chosen))
    assert stopped == {(operation, name) for operation, names in steps.items() for name in names}
    assert len(chosen) == 4


def test_the_table_counts_ends_by_action_and_fault() -> None:
    counts = {("stop", "killed", "finished"): 20, ("stop", "lost", "explained"): 1, ("boot", "killed", "explained"): 2}
    lines = table(counts.items())
    assert [line.split() for line in lines[:3]] == [["killed", "lost"], ["boot", "0+2", "-"], ["stop", "20+0", "0+1"]]
    assert lines[-1] == "23 walks: 20 finished + 3 explained errors"
