# SPDX-License-Identifier: Apache-2.0
"""A program's command line: where files are, any declared option in any spelling, and the words that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nova import errors
from nova.conf import legacy
from nova.conf.declared import Catalogue
from nova.conf.entries import Entry
from nova.conf.resolving import COMMAND_LINE

HELP = frozenset({"help", "h", "helpshort", "helpxml"})
SHORT = {"d": "debug", "v": "verbose"}
FILE_OPTIONS = frozenset({"config_file", "flagfile"})


@dataclass(slots=True)
class CommandLine:
    """What was asked for."""

    files: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    """The first word that is no option, and all that follow."""
    help: bool = False
    version: bool = False


def parse(argv: Sequence[str], catalogue: Catalogue) -> CommandLine:
    """Read *argv* (without the program's name).

    :raises errors.InvalidConfiguration: an option that is not declared, or one without its value
    """
    found = CommandLine()
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            found.rest = words
            break
        if word == "-?":
            found.help = True
        elif legacy.looks_like_flag(word):
            _take(word, words, found, catalogue)
        else:
            found.rest = [word, *words]
            break
    return found


def _take(word: str, words: list[str], found: CommandLine, catalogue: Catalogue) -> None:
    name, value = _split(word)
    if name in HELP:
        found.help = True
    elif name == "version" and value is None:
        found.version = True
    elif name in FILE_OPTIONS:
        found.files.append(_value(name, value, words))
    elif name == "config_dir":
        found.directories.append(_value(name, value, words))
    else:
        _take_option(name, value, words, found, catalogue)


def _take_option(name: str, value: str | None, words: list[str], found: CommandLine, catalogue: Catalogue) -> None:
    known = catalogue.find("DEFAULT", name, bare=value is None)
    if known is None and name in legacy.NO_EFFECT:
        found.entries.append(Entry("DEFAULT", name, value, COMMAND_LINE))
        return
    if known is None:
        near = catalogue.nearest("DEFAULT", name)
        hint = f" Did you mean --{near.replace('[', '').replace('] ', '-')}?" if near else ""
        raise errors.InvalidConfiguration(f"The option --{name} is not known.{hint}")
    if value is None and not known.declared.is_boolean:
        value = _value(name, value, words)
    found.entries.append(Entry("DEFAULT", name, value, COMMAND_LINE))


def _split(word: str) -> tuple[str, str | None]:
    """Name and value; the value keeps its blanks and quotes, which the shell has dealt with."""
    body = word.lstrip("-\u2013\u2014")
    name, sign, value = body.partition("=")
    plain = legacy.plain_name(name).replace(".", "_")
    return SHORT.get(plain, plain), value if sign else None


def _value(name: str, value: str | None, words: list[str]) -> str:
    if value is not None:
        return value
    if not words:
        raise errors.InvalidConfiguration(f"The option --{name} needs a value.")
    return words.pop(0)
