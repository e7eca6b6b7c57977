# SPDX-License-Identifier: Apache-2.0
"""Many small changes side by side, or one that begins with reading the whole state: never both at the same time.

What is read from the database is old as soon as somebody commits.  Whoever puts a whole state in force that he read
before would undo the small changes of those who were faster; so he keeps them out from before he reads.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Give each change its turn.  Not reentrant."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._small = 0
        self._whole = 0
        """Those who put a whole state in force, or wait to"""
        self._busy = False

    @contextlib.contextmanager
    def small(self) -> Iterator[None]:
        """For a change of one thing that is committed already."""
        with self._changed:
            self._changed.wait_for(lambda: not self._whole)
            self._small += 1
        try:
            yield
        finally:
            with self._changed:
                self._small -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """For reading the whole state and putting it in force."""
        with self._changed:
            self._whole += 1
            self._changed.wait_for(lambda: not self._busy and not self._small)
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._whole -= 1
                self._changed.notify_all()
