# SPDX-License-Identifier: Apache-2.0
"""From what files and command line say to one checked value for each option: precedence, ``$name``, types."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oslo_config import cfg

from nova import errors
from nova.conf import legacy
from nova.conf.declared import Catalogue, Declared, Found
from nova.conf.entries import Entry, Ignored, Item

_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|\{(?P<braced>[A-Za-z_][\w.]*)\})"
)
_PLACEHOLDER = re.compile(r"%[A-Z][A-Z0-9_]*%")
_URL_PASSWORD = re.compile(r"://[^/@\s:]*:[^@\s]+@")
_MAX_DEPTH = 20

EXPECTED = {
    cfg.IntOpt: "a whole number is expected",
    cfg.PortOpt: "a port number is expected",
    cfg.FloatOpt: "a number is expected",
    cfg.BoolOpt: "true or false is expected",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to log once logging works."""

    level: int
    text: str


@dataclass(slots=True)
class Choice:
    """The entries that decide an option: one, or several for an option of many values."""

    declared: Declared
    entries: list[Entry]
    negated: bool = False


@dataclass(slots=True)
class Resolved:
    """The result: a value for each option that somebody set, what to say about it, and who wrote secrets."""

    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    files_with_secrets: set[str] = field(default_factory=set)


def resolve(layers: Sequence[Sequence[Item]], catalogue: Catalogue, defaults: Mapping[str, str]) -> Resolved:
    """Decide every option.

    :param layers: the weakest first: files in the order of reading, then the command line
    :param defaults: values of [DEFAULT] options that this host found out
    :raises errors.InvalidConfiguration: a value does not fit its option; names place, option and what is expected
    """
    resolver = _Resolver(catalogue, defaults)
    for layer in layers:
        resolver.take(layer)
    return resolver.finish()


class _Resolver:
    def __init__(self, catalogue: Catalogue, defaults: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._defaults = defaults
        self._choices: dict[tuple[str, str], Choice] = {}
        self._said: set[tuple[str, str]] = set()
        self._result = Resolved()

    def take(self, layer: Iterable[Item]) -> None:
        """Let a stronger layer replace what weaker ones chose; within it the newest spelling, then the last line."""
        chosen: dict[tuple[str, str], tuple[Found, list[Entry]]] = {}
        for item in layer:
            if isinstance(item, Ignored):
                self._say(logging.WARNING, f"{item.where} {item.reason}; it is passed over.")
                continue
            found = self._catalogue.find(item.group, item.name, bare=item.value is None)
            if found is None:
                self._unknown(item)
                continue
            self._note_age(found, item)
            key = (found.declared.group, str(found.declared.option.dest))
            before = chosen.get(key)
            if before is None or (found.age <= before[0].age and not found.declared.is_multiple):
                chosen[key] = (found, [item])
            elif found.declared.is_multiple:
                before[1].append(item)
        for key, (found, entries) in chosen.items():
            self._merge(key, found, entries)

    def _merge(self, key: tuple[str, str], found: Found, entries: list[Entry]) -> None:
        earlier = self._choices.get(key)
        if earlier and found.declared.is_multiple and entries[0].where != COMMAND_LINE:
            entries = [*earlier.entries, *entries]
        self._choices[key] = Choice(found.declared, entries, found.negated)

    def finish(self) -> Resolved:
        """Expand and check what was chosen."""
        for key, choice in self._choices.items():
            values = [self._checked(choice, entry) for entry in choice.entries]
            self._result.values[key] = values if choice.declared.is_multiple else values[-1]
        return self._result

    def _checked(self, choice: Choice, entry: Entry) -> Any:
        option = choice.declared.option
        text = self._text_of(choice, entry)
        expanded = self._expanded(text, choice.declared.group, (str(option.dest),))
        if _PLACEHOLDER.fullmatch(expanded):
            raise errors.InvalidConfiguration(
                f"{entry.where}: {choice.declared.title} = {expanded} is a placeholder; put the real value there."
            )
        if option.secret or _URL_PASSWORD.search(expanded):
            self._result.files_with_secrets.add(entry.where.rpartition(":")[0])
        return self._converted(choice.declared, expanded, entry)

    def _text_of(self, choice: Choice, entry: Entry) -> str:
        if entry.value is not None:
            return entry.value
        if choice.declared.is_boolean:
            return "false" if choice.negated else "true"
        raise errors.InvalidConfiguration(f"{entry.where}: {choice.declared.title} needs a value.")

    def _converted(self, declared: Declared, text: str, entry: Entry) -> Any:
        option = declared.option
        if not text.strip() and type(option) in EXPECTED:
            raise errors.InvalidConfiguration(
                f"{entry.where}: {declared.title} has no value: {EXPECTED[type(option)]}."
            )
        if declared.is_boolean:
            truth = legacy.boolean(text)
            if truth is not None:
                return truth
        try:
            value = option.type(text.replace("$", "$$"))
        except ValueError as exc:
            shown = "***" if option.secret else repr(_URL_PASSWORD.sub("://***@", text))
            expected = EXPECTED.get(type(option), _sentence(exc))
            if type(option) is cfg.IntOpt and re.fullmatch(r"-?\d+", text.strip()):
                expected = _sentence(exc)
            raise errors.InvalidConfiguration(
                f"{entry.where}: {declared.title} = {shown} is not valid: {expected}."
            ) from exc
        return value

    def _expanded(self, text: str, group: str, within: tuple[str, ...]) -> str:
        """*text* with ``$name`` replaced; what names no option, or goes in a circle, stays as typed."""

        def replaced(match: re.Match[str]) -> str:
            if match["escaped"]:
                return "$"
            name = match["plain"] or match["braced"]
            found = self._value_named(name, group, within)
            if found is None and "." in name and match["plain"]:
                head, _, rest = name.partition(".")
                found = self._value_named(head, group, within)
                found = None if found is None else f"{found}.{rest}"
            return match[0] if found is None else found

        return _REFERENCE.sub(replaced, text) if "$" in text else text

    def _value_named(self, name: str, group: str, within: tuple[str, ...]) -> str | None:
        place, _, last = name.rpartition(".")
        found = None
        for candidate in (place,) if place else (group, "DEFAULT"):
            found = found or self._catalogue.find(candidate, last)
        if found is None or name != name.lower() or name in within or len(within) > _MAX_DEPTH:
            return None
        declared = found.declared
        choice = self._choices.get((declared.group, str(declared.option.dest)))
        if choice is not None:
            text = self._text_of(choice, choice.entries[-1])
        else:
            text = self._defaults.get(str(declared.option.dest), _default_text(declared.option))
        return self._expanded(text, declared.group, (*within, name))

    def _unknown(self, entry: Entry) -> None:
        group, name = entry.group.lower(), entry.name
        if group in legacy.FOREIGN_GROUPS:
            self._once((group, ""), logging.INFO, f"{entry.where}: the section [{entry.group}] is for a part not here.")
        elif group not in self._catalogue.groups:
            self._once((group, ""), logging.WARNING, f"{entry.where}: the section [{entry.group}] is not known.")
        elif group == "default" and name in legacy.NO_EFFECT:
            why = legacy.NO_EFFECT[name]
            self._once((group, name), logging.WARNING, f"{entry.where}: {name} has no effect: {why}.")
        elif group == "default" and name.startswith(legacy.FOREIGN_PREFIXES):
            self._once((group, name), logging.INFO, f"{entry.where}: {name} is for a part not here.")
        else:
            near = self._catalogue.nearest(group, name)
            hint = f"; did you mean {near}?" if near else "."
            self._once((group, name), logging.WARNING, f"{entry.where}: the option {name} is not known{hint}")

    def _note_age(self, found: Found, entry: Entry) -> None:
        if found.age:
            text = f"{entry.where}: {entry.name} is the older spelling of {found.declared.title}."
            self._once((entry.group, entry.name), logging.WARNING, text)

    def _once(self, key: tuple[str, str], level: int, text: str) -> None:
        if key not in self._said:
            self._said.add(key)
            self._say(level, text)

    def _say(self, level: int, text: str) -> None:
        self._result.notices.append(Notice(level, text))


COMMAND_LINE = "the command line"


def _default_text(option: cfg.Opt) -> str:
    value = option.default
    if value is None:
        return ""
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _sentence(exc: ValueError) -> str:
    return str(exc).strip().rstrip(".")
