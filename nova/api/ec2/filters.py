# SPDX-License-Identifier: Apache-2.0
"""``Filter.N``: a list is narrowed by what it shows.  Values are any of them, filters are all of them, ``*`` and ``?``
stand for any text and any character, and a backslash takes their meaning away."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal

T = TypeVar("T")
Reader = Callable[[T], Iterable[Value]]
"""What of an object a filter compares"""

TAG = "tag:"


def narrowed(
    found: Sequence[T],
    filters: Sequence[Mapping[str, Any]],
    readers: Mapping[str, Reader[T]],
    *,
    tags: Callable[[T], Mapping[str, str]] | None = None,
) -> list[T]:
    """The members of *found* that pass all filters; a filter that nobody knows is refused."""
    checks = [_check(each, readers, tags) for each in filters]
    return [member for member in found if all(check(member) for check in checks)]


def _check(
    given: Mapping[str, Any],
    readers: Mapping[str, Reader[T]],
    tags: Callable[[T], Mapping[str, str]] | None,
) -> Callable[[T], bool]:
    read = _reader(str(given["Name"]), readers, tags)
    tests = [_test(value) for value in given["Value"]]
    return lambda member: any(test(_shown(value)) for value in read(member) for test in tests)


def _reader(
    name: str, readers: Mapping[str, Reader[T]], tags: Callable[[T], Mapping[str, str]] | None
) -> Callable[[T], Iterable[Value]]:
    if name in readers:
        return readers[name]
    if tags is not None:
        read = tags
        if name in ("tag-key", "tag-value"):
            return lambda member: read(member).keys() if name == "tag-key" else read(member).values()
        if name.startswith(TAG):
            return lambda member: [read(member)[name[len(TAG) :]]] if name[len(TAG) :] in read(member) else []
    raise Ec2Refusal("InvalidParameterValue", f"The filter '{name[:64]}' is invalid.")


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str(value)


def _test(pattern: str) -> Callable[[str], bool]:
    """Matching takes a time that grows with text times pattern, never faster: the pattern is cut at its stars."""
    pieces = [_piece(piece) for piece in _split(pattern)]
    return lambda text: _matches(pieces, text)


def _split(pattern: str) -> list[str]:
    return re.split(r"(?<!\\)\*", pattern)


def _piece(piece: str) -> re.Pattern[str]:
    words = re.findall(r"\\.|.", piece, re.DOTALL)
    return re.compile(
        "".join("." if word == "?" else re.escape(word.removeprefix("\\") or word) for word in words), re.DOTALL
    )


def _matches(pieces: Sequence[re.Pattern[str]], text: str) -> bool:
    if len(pieces) == 1:
        return pieces[0].fullmatch(text) is not None
    head = pieces[0].match(text)
    if head is None:
        return False
    at = head.end()
    for piece in pieces[1:-1]:
        match = piece.search(text, at)
        if match is None:
            return False
        at = match.end()
    tail = re.compile(f"(?:{pieces[-1].pattern})\\Z", re.DOTALL).search(text, at)
    return tail is not None
