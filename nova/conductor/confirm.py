# SPDX-License-Identifier: Apache-2.0
"""Confirms resizes whose owners said nothing in the time that the operator gives them.  Runs in nova-conductor.

Several conductors may look at once: the second one finds a server that is being confirmed.
"""

from __future__ import annotations

import datetime
import logging

from nova.conductor.cloud import Cloud
from nova.conductor.operations.legs import give_leg
from nova.context import admin_context
from nova.db import instances, moves, operations
from nova.db.orders import MOVE
from nova.db.transaction import Transaction
from nova.domain.move import LEGS, Move, first_phase, host_of
from nova.domain.transitions import Action
from nova.errors import InvalidState, NotFound

LOG = logging.getLogger(__name__)


def confirm_resizes(cloud: Cloud) -> None:
    """Look once; nothing is ever confirmed by itself where the window is 0."""
    window_s = cloud.settings.confirm_window_s
    if not window_s:
        return

    def due(tx: Transaction) -> list[Move]:
        return moves.finished_before(tx, tx.now - datetime.timedelta(seconds=window_s))

    for move in cloud.db.run(due, write=False):
        try:
            cloud.db.run(lambda tx, move=move: _confirm(cloud, tx, move))  # type: ignore[misc]
        except (InvalidState, NotFound) as exc:
            LOG.debug("Migration %s is not confirmed now: %s", move.id, exc)


def _confirm(cloud: Cloud, tx: Transaction, move: Move) -> None:
    action, uuid = Action.CONFIRM_RESIZE, move.instance_uuid
    context = admin_context("the time to revert a resize is over")
    instances.begin(tx, uuid, action, ignore_lock=True)
    LOG.info("The resize of server %s is confirmed: its owner did not revert it in time.", uuid)
    phase = first_phase(action)
    (operation,) = operations.open(
        tx,
        action,
        instance_uuids=[uuid],
        context=context,
        arguments={MOVE: move.id},
        host=host_of(move, LEGS[action][phase]),
        phase=phase,
    )
    give_leg(cloud, tx, context, operation, move)
