# SPDX-License-Identifier: Apache-2.0
"""The way out of the green threads for calls into C that block (libvirt, LDAP): a native thread runs them.

Passed to whoever needs it as ``run_blocking``, so that nobody else knows which engine runs the daemon.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def is_green() -> bool:
    """Whether this process runs on green threads."""
    if "eventlet" not in sys.modules:
        return False
    from eventlet import patcher

    return bool(patcher.is_monkey_patched("thread"))


def run_blocking(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """``function(*args, **kwargs)``, without holding up the other green threads; its exceptions are the caller's."""
    if not is_green():
        return function(*args, **kwargs)
    from eventlet import tpool

    result: R = tpool.execute(contextvars.copy_context().run, function, *args, **kwargs)
    return result
