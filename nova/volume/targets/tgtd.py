# SPDX-License-Identifier: Apache-2.0
"""The management protocol of tgtd, the Linux SCSI target daemon, over its local socket.

One request is a header of fixed size and ``name=value`` text; the answer is an error number and text.  It is spoken
here, and not through the program tgtadm, because tgtadm takes CHAP passwords on its command line, where every user of
the host can read them.
"""

from __future__ import annotations

import enum
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from nova import errors

_HEADER = struct.Struct("=II64sIiQQIIIIII")
_ANSWER = struct.Struct("=II")
_NO_LUN = 0xFFFFFFFFFFFFFFFF
_NOBODY = -1
_TIMEOUT_S = 30.0
_MAX_ANSWER = 8 << 20


class Mode(enum.IntEnum):
    """What a request is about."""

    TARGET = 1
    UNIT = 2
    ACCOUNT = 7


class Op(enum.IntEnum):
    """What is to be done with it."""

    NEW = 0
    DELETE = 1
    SHOW = 2
    BIND = 3


class Code(enum.IntEnum):
    """Error numbers of tgtd that mean that the thing is not there."""

    NO_TARGET = 4
    NO_ACCOUNT = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; ``words`` is not shown, since it may hold a password."""

    mode: Mode
    op: Op
    target: int = _NOBODY
    lun: int = _NO_LUN
    words: str = ""
    force: bool = False
    accepted: tuple[int, ...] = ()
    """Error numbers that are no failure"""

    def __repr__(self) -> str:
        return f"{self.op.name.lower()} {self.mode.name.lower()} {self.target}"

    def encode(self) -> bytes:
        """The bytes on the socket."""
        text = self.words.encode() + b"\0" if self.words else b""
        size = _HEADER.size + len(text)
        numbers = (0, 0, 0, 0, 0, int(self.force))
        return _HEADER.pack(self.mode, self.op, b"iscsi", size, self.target, 0, self.lun, *numbers) + text


def send(path: Path, request: Request) -> str:
    """The text of the answer; Unavailable when tgtd does not run, HypervisorError when it refuses."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(request.encode())
            code, size = _ANSWER.unpack(_read(connection, _ANSWER.size))
            text = _read(connection, min(size - _ANSWER.size, _MAX_ANSWER)) if size > _ANSWER.size else b""
    except OSError as error:
        raise errors.Unavailable(
            "The iSCSI target daemon does not answer; is tgtd running?", detail=f"{path}: {error}"
        ) from error
    if code and code not in request.accepted:
        raise errors.HypervisorError("The iSCSI target daemon refused.", detail=f"{request!r}: error {code}")
    return text.rstrip(b"\0").decode(errors="replace")


def targets_in(listing: str) -> dict[int, str]:
    """The targets that a SHOW answer lists: number and name."""
    return {int(number): name for number, name in re.findall(r"^Target (\d+): (\S+)$", listing, re.MULTILINE)}


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionError("the daemon closed the connection")
        data += chunk
    return data
