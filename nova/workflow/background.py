# SPDX-License-Identifier: Apache-2.0
"""Work that nobody waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable

Background = Callable[[Callable[[], None]], None]
"""Does work without making its caller wait."""


def in_thread(work: Callable[[], None]) -> None:
    """Do *work* in a thread of its own (a green one in a daemon)."""
    threading.Thread(target=work, daemon=True).start()
