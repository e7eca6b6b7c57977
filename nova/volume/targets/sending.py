# SPDX-License-Identifier: Apache-2.0
"""How requests reach tgtd, whose socket is root's: from this process when it is root, else through nova-tgt.

nova-tgt is run by the privilege gate and reads one request from its standard input, so that a CHAP password is in no
command line.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import msgspec

from nova import errors
from nova.system.commands import CommandRunner
from nova.volume.targets import tgtd
from nova.volume.targets.tgt import Send
from nova.volume.targets.tgtd import Request

PROGRAM = "nova-tgt"
TIMEOUT_S = 60.0


class Outcome(msgspec.Struct, kw_only=True):
    """What nova-tgt prints."""

    text: str = ""
    kind: str = ""
    """The error's class; empty when there was none"""
    message: str = ""
    detail: str = ""


def socket_of(control_port: int) -> Path:
    """The socket of the tgtd that was started with this ``--control-port``."""
    return Path(f"/var/run/tgtd/socket.{control_port}")


def sender(control_port: int, commands: CommandRunner) -> Send:
    """The way that this process can take."""
    if os.geteuid() == 0:
        return functools.partial(tgtd.send, socket_of(control_port))
    return functools.partial(send_as_root, control_port, commands)


def send_as_root(control_port: int, commands: CommandRunner, request: Request) -> str:
    """The same as :func:`nova.volume.targets.tgtd.send`, by way of nova-tgt."""
    done = commands.run(
        [PROGRAM, str(control_port)], stdin=msgspec.json.encode(request), as_root=True, timeout_s=TIMEOUT_S
    )
    try:
        outcome = msgspec.json.decode(done.stdout, type=Outcome)
    except msgspec.MsgspecError as error:
        raise errors.HypervisorError("The iSCSI target daemon could not be asked.", detail=str(error)) from error
    if outcome.kind:
        raise errors.KINDS.get(outcome.kind, errors.HypervisorError)(outcome.message, detail=outcome.detail)
    return outcome.text
