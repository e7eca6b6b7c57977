# SPDX-License-Identifier: Apache-2.0
"""What a nova-volume that is not root may have tgtd do: exports of its own volumes, and nothing else.

Runs as root, in the program nova-tgt, on requests that are not trusted: tgtd would open any file of the host.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from nova import errors
from nova.volume.targets.tgtd import Mode, Op, Request, targets_in

_VOLUME = r"volume-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TARGET_NAME = re.compile(rf"[\w.:-]{{1,150}}{_VOLUME}", re.ASCII)
_LOGICAL_VOLUME = re.compile(rf"/dev/[\w.+-]+/{_VOLUME}", re.ASCII)
_FILE = re.compile(rf"/.*/{_VOLUME}")
_PATH = "path="

WORDS: dict[tuple[Mode, Op], str] = {
    (Mode.TARGET, Op.SHOW): "",
    (Mode.TARGET, Op.NEW): rf"targetname={_TARGET_NAME.pattern}",
    (Mode.TARGET, Op.DELETE): "",
    (Mode.TARGET, Op.BIND): r"initiator-name=[\w.:-]{1,223}",
    (Mode.ACCOUNT, Op.NEW): r"user=[0-9a-f]{16},password=[0-9a-f]{16}",
    (Mode.ACCOUNT, Op.DELETE): r"user=[0-9a-f]{16}",
    (Mode.ACCOUNT, Op.BIND): r"user=[0-9a-f]{16}",
    (Mode.UNIT, Op.NEW): r"path=/[^,\0]{1,1000}",
}
"""The requests that are passed on, with the pattern of their words."""


def pass_on(request: Request, send: Callable[[Request], str], *, user: int) -> str:
    """Send *request*; Forbidden when it is not one for the volumes of the user with this number."""
    pattern = WORDS.get((request.mode, request.op))
    if pattern is None or re.fullmatch(pattern, request.words, re.ASCII) is None:
        raise errors.Forbidden("The iSCSI target daemon may not be asked for this.", detail=repr(request))
    if (request.target >= 0 and request.op is not Op.NEW) or request.mode is Mode.UNIT:
        _check_target(request, send)
    if request.mode is not Mode.UNIT:
        return send(request)
    with _opened(request.words.removeprefix(_PATH), user) as path:
        return send(dataclasses.replace(request, words=_PATH + path))


def _check_target(request: Request, send: Callable[[Request], str]) -> None:
    """Targets of others on the same daemon are not touched."""
    name = targets_in(send(Request(mode=Mode.TARGET, op=Op.SHOW))).get(request.target)
    if name is not None and _TARGET_NAME.fullmatch(name) is None:
        raise errors.Forbidden("The iSCSI target is not that of a volume.", detail=name)


@contextlib.contextmanager
def _opened(path: str, user: int) -> Iterator[str]:
    """A path by which tgtd opens what was checked, even if somebody puts another file in its place meanwhile."""
    if _LOGICAL_VOLUME.fullmatch(path):
        if not Path(path).is_block_device():
            raise errors.Forbidden("There is no such logical volume.", detail=path)
        yield path
        return
    if _FILE.fullmatch(path) is None:
        raise errors.Forbidden("Only volumes are exported.", detail=path)
    descriptor = _open_file(path)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != user or os.path.realpath(path) != path:
            raise errors.Forbidden("The file is not a volume of this user.", detail=path)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _open_file(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise errors.Forbidden("The volume's file cannot be opened.", detail=f"{path}: {error.strerror}") from error
