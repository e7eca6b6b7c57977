# SPDX-License-Identifier: Apache-2.0
"""The program nova-tgt: has tgtd carry out one request of a nova-volume that is not root.

    nova-tgt CONTROL_PORT < request.json

Run as root by nova-rootwrap.  The request is not trusted: see :mod:`nova.volume.targets.gatekeeper`.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import BinaryIO

import msgspec

from nova.errors import InvalidInput, NovaError
from nova.volume.targets.gatekeeper import pass_on
from nova.volume.targets.sending import Outcome, socket_of
from nova.volume.targets.tgtd import Request, send

MAX_REQUEST = 4096
MAX_PORT = 32767
"""Of tgtd's option --control-port"""
_WRONG = 2


def main() -> int:
    """Read, check, send, print the outcome."""
    words = sys.argv[1:]
    if len(words) != 1 or not (words[0].isascii() and words[0].isdigit() and int(words[0]) <= MAX_PORT):
        sys.stderr.write("usage: nova-tgt CONTROL_PORT < REQUEST\n")
        return _WRONG
    outcome = carry_out(sys.stdin.buffer, control_port=int(words[0]), user=_caller())
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 0


def carry_out(source: BinaryIO, *, control_port: int, user: int) -> Outcome:
    """What came of the request in *source*, of the user with the number *user*."""
    try:
        request = _read(source)
        return Outcome(text=pass_on(request, functools.partial(send, socket_of(control_port)), user=user))
    except NovaError as error:
        return Outcome(kind=type(error).__name__, message=error.message, detail=error.detail)


def _read(source: BinaryIO) -> Request:
    try:
        return msgspec.json.decode(source.read(MAX_REQUEST), type=Request)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "The request to the iSCSI target daemon is not valid.", detail=type(error).__name__
        ) from error


def _caller() -> int:
    """The user for whom sudo made us root."""
    text = os.environ.get("SUDO_UID", "")
    return int(text) if text.isascii() and text.isdigit() else os.getuid()
