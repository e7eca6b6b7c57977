# SPDX-License-Identifier: Apache-2.0
"""Telling another daemon about what was just written.  A broker that is away does not undo an accepted request."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova.db.engine import Transaction
from nova.errors import Unavailable

LOG = logging.getLogger(__name__)


def tell(tx: Transaction, what: str, send: Callable[[], object]) -> None:
    """Do *send* after the commit; when no broker takes it, the recorded operation is found and taken up later."""

    def attempt() -> None:
        try:
            send()
        except Unavailable as error:
            LOG.warning("No broker takes the message '%s' now; recovery will go on with it: %s", what, error)

    tx.after_commit(attempt)
