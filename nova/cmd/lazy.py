# SPDX-License-Identifier: Apache-2.0
"""Libraries that others load and that a daemon hardly ever uses: they are read when they are first touched.

Together they are a fifth of the processor time that nova-api needs until it answers, most of it for hundreds of regular
expressions, and 8 MB of each daemon with a database.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

SELDOM_USED = (
    "oslo_utils.strutils",  # oslo.policy takes it to mask passwords in what it logs at DEBUG
    "rfc3986",  # oslo.config checks options of type URI with it
    "yaml",  # oslo.policy reads files of operators with it
    "cryptography.hazmat.primitives.hashes",  # PyMySQL logs in to some servers with it, and so the two below
    "cryptography.hazmat.primitives.serialization",
    "cryptography.hazmat.primitives.asymmetric.padding",
)


def load_when_used() -> None:
    """Have the modules of ``SELDOM_USED`` load themselves at their first use.  One that is loaded already stays."""
    for name in SELDOM_USED:
        if name not in sys.modules:
            _postpone(name)


class _Postponed(ModuleType):
    """A module whose file is run when somebody asks for a name in it; green threads are not switched meanwhile.

    ``importlib.util.LazyLoader`` would not wait: before Python 3.12 the import statement itself touches its modules.
    """

    def __getattr__(self, name: str) -> Any:
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)  # type: ignore[union-attr]
        return getattr(self, name)


def _postpone(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is not None:
        module = importlib.util.module_from_spec(spec)
        module.__class__ = _Postponed
        sys.modules[name] = module
