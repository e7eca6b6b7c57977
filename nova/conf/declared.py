# SPDX-License-Identifier: Apache-2.0
"""The declared options by every name they can be written with."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from oslo_config import cfg

from nova.conf import legacy


@dataclass(frozen=True, slots=True)
class Declared:
    """One option and its canonical place."""

    group: str
    option: cfg.Opt

    @property
    def is_boolean(self) -> bool:
        """Whether a bare flag makes sense for it."""
        return isinstance(self.option, cfg.BoolOpt)

    @property
    def is_multiple(self) -> bool:
        """Whether each line adds a value."""
        return isinstance(self.option, cfg.MultiOpt)

    @property
    def title(self) -> str:
        """How a message names it."""
        name = str(self.option.name)
        return name if self.group == "DEFAULT" else f"[{self.group}] {name}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for."""

    declared: Declared
    age: int
    """0 for the canonical spelling, higher for older ones."""
    negated: bool = False
    """The name was ``no`` and the name of a boolean."""


class Catalogue:
    """Looks names up."""

    def __init__(self, groups: Iterable[tuple[str, list[cfg.Opt]]]) -> None:
        self.options = [Declared(group, option) for group, options in groups for option in options]
        self._names: dict[tuple[str, str], Found] = {}
        self._flat: dict[str, Found] = {}
        for age_first in (True, False):
            for declared in self.options:
                self._add(declared, canonical=age_first)
        self.groups = {group for group, _name in self._names}

    def _add(self, declared: Declared, *, canonical: bool) -> None:
        """Enter the canonical name or the older ones; what is there already stays."""
        if canonical:
            places = [(0, declared.group, str(declared.option.dest))]
        else:
            old = enumerate(declared.option.deprecated_opts, 1)
            places = [(age, str(opt.group or declared.group), str(opt.name)) for age, opt in old]
        for age, group, name in places:
            found = Found(declared, age)
            self._names.setdefault((group.lower(), legacy.plain_name(name)), found)
            if group != "DEFAULT":
                self._flat.setdefault(legacy.plain_name(f"{group}_{name}"), found)

    def find(self, group: str, name: str, *, bare: bool = False) -> Found | None:
        """The option that *name* in [*group*] means.

        :param bare: it was given without a value, so that ``noname`` may mean that *name* is false
        """
        found = self._names.get((group.lower(), name))
        if found is None and group == "DEFAULT":
            found = self._flat.get(name.replace(".", "_"))
        if found is None and bare and name.startswith("no"):
            positive = self.find(group, name[2:].lstrip("_"))
            if positive is not None and positive.declared.is_boolean:
                return Found(positive.declared, positive.age, negated=True)
        return found

    def nearest(self, group: str, name: str) -> str | None:
        """The declared name that somebody may have meant, in the same group or in any."""
        here = [known for place, known in self._names if place == group.lower()]
        near = difflib.get_close_matches(name, here, 1, 0.8)
        if near:
            return near[0]
        everywhere = {known: place for place, known in self._names}
        near = difflib.get_close_matches(name, everywhere, 1, 0.8)
        if not near:
            return None
        place = everywhere[near[0]]
        return near[0] if place == "default" else f"[{place}] {near[0]}"
