# SPDX-License-Identifier: Apache-2.0
"""The privilege gate: which commands may run as root, decided by the filter files that rootwrap.conf names.

Used in two places with the same rules: by the ``nova-rootwrap`` programs, and inside a daemon that is root already.
The filter classes are oslo.rootwrap's, made stricter, and one of ours: a RegExpFilter must match to the last byte, a
PathFilter compares whole path components after ``..`` and links are resolved, an unknown class is an error, and nothing
is allowed that no file names.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oslo_rootwrap import filters, wrapper

from nova import errors

UNAUTHORIZED = 99
NO_COMMAND = 98
BAD_CONFIGURATION = 97
NO_EXECUTABLE = 96

PLACES = {"state_path": "/var/lib/nova", "config_path": "/etc/nova"}
"""Names that filters may use for directories, set in rootwrap.conf."""


class ExactRegExpFilter(filters.RegExpFilter):
    """One pattern for each element of the command line, matched from its first byte to its last."""

    def match(self, userargs: list[str] | None) -> bool:
        """Whether every element matches its pattern."""
        if not userargs or len(self.args) != len(userargs):
            return False
        return all(re.fullmatch(pattern, word) for pattern, word in zip(self.args, userargs, strict=True))


class RepeatRegExpFilter(filters.CommandFilter):
    """One pattern for each element of the command line; the last one is for all that follow, of which there is one."""

    def match(self, userargs: list[str] | None) -> bool:
        """Whether every element matches its pattern."""
        if not userargs or len(userargs) < len(self.args):
            return False
        patterns = [*self.args, *[self.args[-1]] * (len(userargs) - len(self.args))]
        return all(re.fullmatch(pattern, word) for pattern, word in zip(patterns, userargs, strict=True))


class ExactPathFilter(filters.PathFilter):
    """Path arguments must lie below their directory once ``..`` and links are resolved."""

    def match(self, userargs: list[str] | None) -> bool:
        """Whether each argument equals its word, is ``pass``, or is a path below its directory."""
        if not userargs or len(userargs) != len(self.args) + 1 or not filters.CommandFilter.match(self, userargs):
            return False
        return all(_allowed(rule, word) for rule, word in zip(self.args, userargs[1:], strict=True))


def _allowed(rule: str, word: str) -> bool:
    if not os.path.isabs(rule):
        return rule in ("pass", word)
    base, path = os.path.realpath(rule), os.path.realpath(word)
    return os.path.isabs(word) and (path == base or path.startswith(base.rstrip("/") + "/"))


KINDS: Mapping[str, Callable[..., Any]] = {
    "CommandFilter": filters.CommandFilter,
    "RegExpFilter": ExactRegExpFilter,
    "RepeatRegExpFilter": RepeatRegExpFilter,
    "PathFilter": ExactPathFilter,
    "KillFilter": filters.KillFilter,
    "ReadFileFilter": filters.ReadFileFilter,
    "IpFilter": filters.IpFilter,
    "EnvFilter": filters.EnvFilter,
    "IpNetnsExecFilter": filters.IpNetnsExecFilter,
    "ChainingRegExpFilter": filters.ChainingRegExpFilter,
}


@dataclass(frozen=True, slots=True)
class Permitted:
    """What to execute: program and arguments, its environment, and the user it runs as."""

    argv: tuple[str, ...]
    env: dict[str, str] | None
    user: str


class Gate:
    """The rules of one rootwrap.conf.  Read once; a daemon that must see new rules is restarted."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the file and the filters it names.

        :raises errors.InvalidConfiguration: a file is missing, broken, or could be changed by somebody else than root
        """
        self.config, names = _read_config(Path(path))
        places = [Path(place.strip()) for place in self.config.filters_path]
        self.filters = [one for place in places for one in _filters_below(place, names)]

    def permit(self, argv: Sequence[str]) -> Permitted:
        """The command to execute for *argv*, which runs as root.

        :raises errors.HypervisorError: ``code`` 99: no filter matches; 96: the program is not installed
        """
        words = list(argv)
        try:
            found = wrapper.match_filter(self.filters, words, exec_dirs=self.config.exec_dirs)
        except wrapper.NoFilterMatched:
            raise errors.HypervisorError(
                "This host does not allow a command that the operation needs.",
                detail=f"no rootwrap filter allows: {' '.join(argv)}",
                code=UNAUTHORIZED,
            ) from None
        except wrapper.FilterMatchNotExecutable as exc:
            program = exc.match.exec_path if exc.match else words[0]
            raise errors.HypervisorError(
                f"The program {os.path.basename(program)} is not installed on this host.",
                detail=f"looked in {', '.join(self.config.exec_dirs)}",
                code=NO_EXECUTABLE,
            ) from None
        environment = found.get_environment(list(words))
        return Permitted(tuple(found.get_command(list(words), self.config.exec_dirs)), environment, found.run_as)


def _read_config(path: Path) -> tuple[wrapper.RootwrapConfig, dict[str, str]]:
    """The settings, and what ``$state_path`` and ``$config_path`` mean in filters."""
    _refuse_foreign(path)
    raw = configparser.RawConfigParser(strict=False)
    try:
        raw.read_string(path.read_text(), source=str(path))
        names = {name: raw.get("DEFAULT", name, fallback=default) for name, default in PLACES.items()}
        return wrapper.RootwrapConfig(raw), names
    except (OSError, UnicodeDecodeError, ValueError, configparser.Error) as exc:
        raise errors.InvalidConfiguration(f"The file {path} is not a usable rootwrap.conf: {exc}") from exc


def _filters_below(directory: Path, names: Mapping[str, str]) -> Iterator[Any]:
    if not directory.is_dir():
        return
    _refuse_foreign(directory)
    for path in sorted(directory.glob("*.filters")):
        _refuse_foreign(path)
        yield from _filters_in(path, names)


def _filters_in(path: Path, names: Mapping[str, str]) -> Iterator[Any]:
    raw = configparser.RawConfigParser(strict=False, delimiters=(":",), comment_prefixes=("#",))
    try:
        raw.read_string(path.read_text(), source=str(path))
        lines = raw.items("Filters")
    except (OSError, UnicodeDecodeError, configparser.Error) as exc:
        raise errors.InvalidConfiguration(f"The filter file {path} cannot be read: {exc}") from exc
    for name, value in lines:
        words = re.split(r",\s+", value.strip())
        yield _filter(name, [words[0], *(_placed(word, words[0], names) for word in words[1:])], path)


def _placed(word: str, kind: str, names: Mapping[str, str]) -> str:
    """A word of a filter with the names of directories replaced, quoted where the word is a pattern."""
    for name, path in names.items():
        word = word.replace(f"${name}", re.escape(path) if "RegExp" in kind else path)
    return word


def _filter(name: str, words: list[str], path: Path) -> Any:
    kind = KINDS.get(words[0])
    if kind is None:
        raise errors.InvalidConfiguration(f"{path}: the filter {name} has an unknown class {words[0]!r}.")
    for pattern in words[3:] if "RegExp" in words[0] else ():
        try:
            re.compile(pattern)
        except re.error as exc:
            raise errors.InvalidConfiguration(f"{path}: the filter {name} has a bad pattern: {exc}") from exc
    made = kind(*words[1:])
    made.name = name
    return made


def _refuse_foreign(path: Path) -> None:
    """Whoever can write these files is root: only root may own and change them (checked when we are root)."""
    try:
        found = path.stat()
    except OSError as exc:
        raise errors.InvalidConfiguration(f"The file {path} cannot be read: {exc.strerror}.") from exc
    loose = stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
    if os.geteuid() == 0 and (found.st_uid != 0 or loose):
        raise errors.InvalidConfiguration(f"{path} must be owned by root and writable by nobody else.")
