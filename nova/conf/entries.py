# SPDX-License-Identifier: Apache-2.0
"""Configuration files as lists of entries: the ini form, stray flag lines, and the choice between the two dialects.

Nothing here knows which options exist.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nova import errors
from nova.conf import legacy

_ASSIGNMENT = re.compile(r"[A-Za-z_][\w-]*\s*=|-")
MAX_FILE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as somebody wrote it."""

    group: str
    name: str
    """Lower case, with underscores."""
    value: str | None
    """None for a bare flag."""
    where: str
    """``file:line``, or ``the command line``."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A line that is no setting, in a dialect that allows such lines."""

    where: str
    reason: str


Item = Entry | Ignored


def read(path: Path, *, within: tuple[Path, ...] = ()) -> list[Item]:
    """What *path* and the files it includes say, in order.

    :param within: the files that include this one, so that a circle is noticed
    :raises errors.InvalidConfiguration: it cannot be read, or a line of an ini file makes no sense
    """
    text = _text(path)
    parse = _flagfile if legacy.is_flagfile(text) else _ini
    return list(parse(text, path, (*within, path)))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise errors.InvalidConfiguration(f"The configuration file {path} is larger than {MAX_FILE_BYTES} bytes.")
        return data.decode("utf-8-sig")
    except OSError as exc:
        raise errors.InvalidConfiguration(
            f"The configuration file {path} cannot be read: {os.strerror(exc.errno or 0)}."
        ) from exc
    except UnicodeDecodeError as exc:
        raise errors.InvalidConfiguration(
            f"The configuration file {path} is no UTF-8 text (byte {exc.start})."
        ) from exc


def _flagfile(text: str, path: Path, within: tuple[Path, ...]) -> Iterator[Item]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from _flag_line(line, f"{path}:{number}", within)


def _flag_line(line: str, where: str, within: tuple[Path, ...]) -> Iterator[Item]:
    stripped = line.strip()
    if not stripped or legacy.is_comment(stripped):
        return
    flag = legacy.split_flag(stripped)
    if flag is None:
        yield Ignored(where, "is neither a flag nor a comment")
    elif flag.name == "flagfile":
        yield from _included(flag.value or "", where, within)
    else:
        yield Entry("DEFAULT", flag.name, flag.value, where)


def _included(name: str, where: str, within: tuple[Path, ...]) -> Iterator[Item]:
    path = within[-1].parent / Path(name).expanduser()
    if path in within:
        raise errors.InvalidConfiguration(f"{where}: the file {path} includes itself.")
    if path.exists():
        yield from read(path, within=within)
    else:
        yield Ignored(where, f"names a file that is not there ({path})")


def _ini(text: str, path: Path, within: tuple[Path, ...]) -> Iterator[Item]:
    group = "DEFAULT"
    for number, line in _logical_lines(text):
        where = f"{path}:{number}"
        stripped = line.strip()
        if stripped.startswith("["):
            if not stripped.endswith("]") or not stripped[1:-1].strip():
                raise errors.InvalidConfiguration(f"{where}: a section is written as [name].")
            group = stripped[1:-1].strip()
        elif legacy.looks_like_flag(stripped):
            yield from _flag_line(stripped, where, within)
        else:
            yield _assignment(stripped, group, where)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, each with the indented lines that go on with it."""
    number, held = 0, ""
    for current, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        if held and line[0].isspace() and _continues(held, stripped):
            held = f"{held}\n{stripped}"
            continue
        if held:
            yield number, held
        number, held = current, stripped
    if held:
        yield number, held


def _continues(held: str, stripped: str) -> bool:
    """An indented line goes on with an assignment, unless it looks like one itself (files indented as a whole)."""
    if held.startswith("[") or stripped.startswith("["):
        return False
    return held.endswith(",") or _ASSIGNMENT.match(stripped) is None


def _assignment(line: str, group: str, where: str) -> Entry:
    signs = [place for place in (line.find("="), line.find(":")) if place > 0]
    if not signs:
        raise errors.InvalidConfiguration(f"{where}: a setting is written as name = value.")
    cut = min(signs)
    return Entry(group, legacy.plain_name(line[:cut]), legacy.unquoted(line[cut + 1 :]), where)
