# SPDX-License-Identifier: Apache-2.0
"""How an option says its older names, and the kinds of value that options share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from oslo_config import cfg, types

_CLASS_PATH = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*([.:][A-Za-z_]\w*)")


def formerly(*places: str) -> list[cfg.DeprecatedOpt]:
    """The older places of an option, newest first: ``"name"`` in [DEFAULT], or ``"group/name"``."""
    found = []
    for place in places:
        group, _, name = place.rpartition("/")
        found.append(cfg.DeprecatedOpt(name, group=group or "DEFAULT"))
    return found


class Named(types.ConfigType):
    """One of a few short names, or an older class path that stands for one of them.

    :param names: short name → the class paths (and other words) that older files use for it
    :param plugins: also take ``package.module.Class`` or ``package.module:Class`` of somebody else, as typed
    """

    def __init__(self, names: Mapping[str, tuple[str, ...]], *, plugins: bool = False) -> None:
        super().__init__(type_name="name")
        self.names = names
        self.plugins = plugins
        self._short = {word.lower(): name for name, words in names.items() for word in (name, *words)}

    def __call__(self, value: object) -> str:
        """The short name for *value*.

        :raises ValueError: nothing that is known, with what is
        """
        text = str(value).strip()
        short = self._short.get(text.lower())
        if short is not None:
            return short
        if self.plugins and "." in text and not text.startswith("nova.") and _CLASS_PATH.fullmatch(text):
            return text
        near = difflib.get_close_matches(text.lower(), self._short, 1, 0.8)
        hint = f" (did you mean {near[0]}?)" if near else ""
        wider = ", or the path of a class" if self.plugins else ""
        raise ValueError(f"one of {', '.join(self.names)}{wider} is expected{hint}")

    def __repr__(self) -> str:
        return f"one of {', '.join(self.names)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and (self.names, self.plugins) == (other.names, other.plugins)

    def __hash__(self) -> int:
        return hash(tuple(self.names))

    def _formatter(self, value: object) -> str:
        return str(value)
