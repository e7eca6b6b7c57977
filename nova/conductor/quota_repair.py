# SPDX-License-Identifier: Apache-2.0
"""Quota counters that are not what they count are set right.  Runs in nova-conductor.

A counter changes in the transaction in which what it counts does, so none is ever wrong; but people restore databases
and edit rows.  A project in which something is being done, or waits to be confirmed, is left for the next time: what is
asked for there may be counted before it is there.
"""

from __future__ import annotations

import contextlib
import functools
import logging

from nova.db import instances, quotas
from nova.db.engine import Database
from nova.db.transaction import Transaction

LOG = logging.getLogger(__name__)

COUNTED = ("instances", "cores", "ram")


class _Busy(Exception):
    """What was counted must not be written."""


def recount_quotas(db: Database) -> int:
    """Look at each project once; how many counters were wrong."""
    wrong = 0
    for project in db.run(quotas.projects, write=False):
        with contextlib.suppress(_Busy):
            wrong += db.run(functools.partial(_recount, project=project))
    return wrong


def _recount(tx: Transaction, *, project: str) -> int:
    wrong = quotas.recount(tx, project, resources=COUNTED, counter=instances.usage_by_user)
    if wrong and instances.is_project_busy(tx, project):
        raise _Busy
    for (user, resource), (before, now) in wrong.items():
        LOG.warning(
            "The counter of %s of project %s (user %s) was %d and is set to %d.",
            *(resource, project, user or "any", before, now),
        )
    return len(wrong)
