# SPDX-License-Identifier: Apache-2.0
"""Regular expressions that people send as filters: one small dialect that costs a bounded time on every database.

Allowed: characters, ``.``, ``^``, ``$``, classes (``[a-z]``, ``[^0]``, ``\\d \\w \\s``), groups, ``|``, and the
repeats ``* + ? {n,m}`` after one character or class.  A group can only be made optional.  No look-around, no
references.  The pattern is parsed here and written anew, so that all databases read the same; a pattern without special
characters is looked for as it stands.
"""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, text, true

from nova import errors
from nova.db.transaction import Transaction

LONGEST = 255
_MOST_CHOICES = 2**20
_UNBOUNDED_CHOICES = 256
_MOST_REPEATS = 255
_TIME_LIMIT_S = 5
_SQLITE_TIME_LIMIT_S = 2
_SPECIAL = set(r".^$*+?{}[]()|\\")
_SHORTHAND = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\r\n"}
_ANYTHING_BEFORE = re.compile(r"\A\^?(\.\*)+")
_ANYTHING_AFTER = re.compile(r"(?<!\\)(\.\*)+\$?\Z")
_REPEAT = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")


def condition(column: ColumnElement[Any], pattern: str, *, dialect: str, field: str) -> ColumnElement[bool]:
    """True where *pattern* is found in *column*; InvalidInput, naming *field*, for a pattern that is not allowed."""
    portable = _portable(_trimmed(pattern), field)
    if not portable:
        return true()
    if not _SPECIAL.intersection(pattern):
        place = func.strpos(column, pattern) if dialect == "postgresql" else func.instr(column, pattern)
        return place > 0
    return column.regexp_match(portable)


@contextlib.contextmanager
def time_limit(tx: Transaction, *, wanted: bool) -> Iterator[None]:
    """Let no statement of the body run for more than some seconds (errors.Timeout)."""
    if not wanted:
        yield
    elif tx.dialect == "sqlite":
        driver: Any = tx.connection.connection.dbapi_connection
        deadline = time.monotonic() + _SQLITE_TIME_LIMIT_S
        driver.set_progress_handler(lambda: time.monotonic() > deadline, 100)
        try:
            yield
        finally:
            driver.set_progress_handler(None, 0)
    elif tx.dialect == "postgresql":
        tx.execute(text(f"SET LOCAL statement_timeout = {_TIME_LIMIT_S * 1000}"))
        yield
        tx.execute(text("SET LOCAL statement_timeout = DEFAULT"))
    else:
        tx.execute(text(f"SET SESSION max_statement_time = {_TIME_LIMIT_S}"))
        try:
            yield
        finally:
            tx.execute(text("SET SESSION max_statement_time = DEFAULT"))


def _trimmed(pattern: str) -> str:
    """*pattern* without the ``.*`` at both ends, which change nothing and cost time."""
    if "|" in pattern:
        return pattern
    return _ANYTHING_AFTER.sub("", _ANYTHING_BEFORE.sub("", pattern))


def _portable(pattern: str, field: str) -> str:
    if len(pattern) > LONGEST:
        raise errors.InvalidInput(f"The pattern in {field} is longer than {LONGEST} characters", field=field)
    try:
        return _Parser(pattern).whole()
    except _NotAllowed as problem:
        raise errors.InvalidInput(f"The pattern in {field} is not acceptable: {problem}", field=field) from None


class _NotAllowed(Exception):
    """The pattern is wrong, or could take too long."""


@dataclass
class _Parser:
    """Reads a pattern from left to right and writes it in the portable form."""

    source: str
    position: int = 0
    choices: int = 1
    """An upper bound for how many ways a backtracking matcher may have to try from one starting point"""

    def whole(self) -> str:
        written = self._alternatives()
        if self.position < len(self.source):
            raise _NotAllowed(f"unexpected {self._next()!r}")
        if self.choices > _MOST_CHOICES:
            raise _NotAllowed("too many repeats and alternatives")
        return written

    def _next(self) -> str:
        return self.source[self.position : self.position + 1]

    def _take(self) -> str:
        character = self._next()
        if not character:
            raise _NotAllowed("it ends too early")
        self.position += 1
        return character

    def _alternatives(self) -> str:
        branches = [self._sequence()]
        while self._next() == "|":
            self.position += 1
            branches.append(self._sequence())
        self.choices *= len(branches)
        return "|".join(branches)

    def _sequence(self) -> str:
        parts = []
        while self._next() not in {"", "|", ")"}:
            parts.append(self._item())
        return "".join(parts)

    def _item(self) -> str:
        character = self._take()
        if character in "^$":
            return character
        if character == "(":
            return self._group() + self._optional()
        if character == "[":
            return self._class() + self._repeat()
        if character == ".":
            return "." + self._repeat()
        if character == "\\":
            return self._escaped() + self._repeat()
        if character in "*+?{":
            raise _NotAllowed(f"nothing before {character!r} to repeat")
        return _literal(character) + self._repeat()

    def _group(self) -> str:
        if self.source.startswith("?:", self.position):
            self.position += 2
        inside = self._alternatives()
        if self._take() != ")":
            raise _NotAllowed("a group is not closed")
        return f"(?:{inside})"

    def _optional(self) -> str:
        if self._next() in {"*", "+", "{"}:
            raise _NotAllowed("a group cannot be repeated")
        return self._repeat()

    def _repeat(self) -> str:
        mark = self._next()
        if not mark or mark not in "*+?{":
            return ""
        if mark == "{":
            repeat = self._counted()
        else:
            self.position += 1
            self.choices *= 2 if mark == "?" else _UNBOUNDED_CHOICES
            repeat = mark
        if self._next() and self._next() in "*+?{":
            raise _NotAllowed("a repeat of a repeat")
        return repeat

    def _counted(self) -> str:
        found = _REPEAT.match(self.source, self.position)
        if found is None:
            raise _NotAllowed("a repeat must be {n}, {n,} or {n,m}")
        least, comma, most = int(found[1]), found[2], found[3]
        if least > _MOST_REPEATS or (most is not None and not least <= int(most) <= _MOST_REPEATS):
            raise _NotAllowed(f"a repeat must be between 0 and {_MOST_REPEATS}, the smaller number first")
        if comma:
            self.choices *= _UNBOUNDED_CHOICES if most is None else int(most) - least + 1
        self.position = found.end()
        return found[0]

    def _escaped(self) -> str:
        character = self._take()
        if character in _SHORTHAND:
            return f"[{_SHORTHAND[character]}]"
        if character.isalnum():
            raise _NotAllowed(f"\\{character} is not known")
        return _literal(character)

    def _class(self) -> str:
        negated = "^" if self._next() == "^" else ""
        self.position += len(negated)
        members = self._member(first=True)
        while self._next() != "]":
            members += self._member(first=False)
        self.position += 1
        return f"[{negated}{members}]"

    def _member(self, *, first: bool) -> str:
        if self._next() == "]" and not first:
            raise _NotAllowed("a class is empty")
        low, single = self._class_character()
        after = self.source[self.position + 1 : self.position + 2]
        if not single or self._next() != "-" or after in {"]", ""}:
            return _class_literal(low) if single else low
        self.position += 1
        high, single = self._class_character()
        if not single or high < low:
            raise _NotAllowed("a range in a class is not in order")
        return f"{_class_literal(low)}-{_class_literal(high)}"

    def _class_character(self) -> tuple[str, bool]:
        character = self._take()
        if character == "[" and self._next() and self._next() in ":.=":
            raise _NotAllowed("named classes are not known")
        if character != "\\":
            return character, True
        character = self._take()
        if character in _SHORTHAND:
            return _SHORTHAND[character], False
        if character.isalnum():
            raise _NotAllowed(f"\\{character} is not known")
        return character, True


def _literal(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character


def _class_literal(character: str) -> str:
    return f"\\{character}" if character in r"\]^-[|&~" else character


@functools.lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def search(pattern: str, value: str | None) -> bool | None:
    """What SQLite calls for a match: whether the (portable) *pattern* is found in *value*."""
    return None if value is None else _compiled(pattern).search(value[:LONGEST]) is not None
