# SPDX-License-Identifier: Apache-2.0
"""The table of states: nothing in it is forgotten elsewhere, and the page about it is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova.compute.plans import PLANS
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action, states_of, status_of
from nova.interfaces.compute import CASTS
from tools import states_page

PAGE = Path(__file__).parents[3] / "doc" / "states.rst"
WITHOUT_A_HOST = {Action.UPDATE_METADATA}
"""Done by the API alone"""


def test_every_action_has_a_row_and_every_action_on_a_host_a_plan_and_a_way_there() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert set(PLANS) == set(CASTS) == set(Action) - WITHOUT_A_HOST


@pytest.mark.parametrize("action", Action)
def test_an_action_that_ends_in_a_state_has_a_task_on_the_way(action: Action) -> None:
    row = TRANSITIONS[action]
    assert row.during or row.end is None


def test_no_two_actions_share_a_task() -> None:
    tasks = [task for row in TRANSITIONS.values() for task in row.during if task is not row.on_host]
    assert len(tasks) == len(set(tasks))


@pytest.mark.parametrize("state", VmState)
def test_a_status_is_found_again_by_its_word(state: VmState) -> None:
    assert state in states_of(status_of(state, None)).vm_states
    for task in TaskState:
        found = states_of(status_of(state, task))
        assert state in found.vm_states or (state, task) in found.pairs


def test_the_page_of_the_documentation_is_current() -> None:
    assert PAGE.read_text() == states_page.page(), "run: python -m tools.states_page > doc/states.rst"
