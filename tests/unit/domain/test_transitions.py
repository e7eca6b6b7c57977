# SPDX-License-Identifier: Apache-2.0
"""The table of states: nothing in it is forgotten elsewhere, and the page about it is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova.compute.plans import LEG_PLANS, PLANS
from nova.domain.move import LEGS, Phase
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action, states_of, status_of
from nova.interfaces.compute import CASTS
from tools import states_page

PAGE = Path(__file__).parents[3] / "doc" / "states.rst"
TWINS = {Action.MIGRATE, Action.EVACUATE}
"""A migration is a resize to the same flavor, and an evacuation a rebuild somewhere else"""
WITHOUT_A_HOST = {Action.UPDATE_METADATA}
"""Done by the API alone"""


def test_every_action_has_a_row_and_every_action_on_a_host_a_plan_and_a_way_there() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert set(PLANS) | set(LEGS) == set(CASTS) == set(Action) - WITHOUT_A_HOST
    assert not set(PLANS) & set(LEGS)


def test_every_leg_of_a_move_has_a_plan_and_is_part_of_an_action() -> None:
    assert set(LEG_PLANS) == set(Phase) == {phase for legs in LEGS.values() for phase in legs}


@pytest.mark.parametrize("action", LEGS)
def test_legs_lead_to_legs_of_the_same_action_and_to_an_end(action: Action) -> None:
    legs = LEGS[action]
    assert {phase for leg in legs.values() for phase in (leg.then, leg.otherwise) if phase} <= set(legs)
    for phase in legs:
        seen: list[Phase] = []
        following: Phase | None = phase
        while following is not None:
            assert following not in seen
            seen.append(following)
            following = legs[following].then


@pytest.mark.parametrize("action", Action)
def test_an_action_that_ends_in_a_state_has_a_task_on_the_way(action: Action) -> None:
    row = TRANSITIONS[action]
    assert row.during or row.end is None


def test_no_two_actions_share_a_task() -> None:
    rows = [row for action, row in TRANSITIONS.items() if action not in TWINS]
    tasks = [task for row in rows for task in row.during if task is not row.on_host]
    assert TRANSITIONS[Action.MIGRATE] == TRANSITIONS[Action.RESIZE], "the same, with the same flavor"
    assert len(tasks) == len(set(tasks))


@pytest.mark.parametrize("state", VmState)
def test_a_status_is_found_again_by_its_word(state: VmState) -> None:
    assert state in states_of(status_of(state, None)).vm_states
    for task in TaskState:
        found = states_of(status_of(state, task))
        assert state in found.vm_states or (state, task) in found.pairs


def test_the_page_of_the_documentation_is_current() -> None:
    assert PAGE.read_text() == states_page.page(), "run: python -m tools.states_page > doc/states.rst"
