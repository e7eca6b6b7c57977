# SPDX-License-Identifier: Apache-2.0
"""The serial console's log, which virtlogd writes in bounded pieces: ``console.log``, and older ones ``.0`` ``.1`` …

Runs in nova-compute.  The files belong to root; where this daemon is not root, ``tail`` reads them through the gate.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import libvirt

from nova import errors
from nova.system import xml
from nova.virt.images.qemu_img import Runner
from nova.virt.libvirt.connection import GONE, Connection

MOST_BYTES = 2 * 1024**2
"""Of a container's log"""
PIECES = 3
"""Older pieces that virtlogd keeps."""


def log_of(connection: Connection, name: str) -> Path:
    """The console log of the domain *name*, as its definition says.

    :raises errors.NotFound: there is no such domain, or it has no log
    """

    def look(handle: Any) -> str | None:
        try:
            document = handle.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() in GONE:
                return None
            raise
        devices = xml.parse(document, what="domain's XML").find("devices")
        log = devices.find("serial/log") if devices.find("serial") is not None else devices.find("console/log")
        return None if log is None else log.get("file")

    found = connection.call("find the server's console", look)
    if not found:
        raise errors.NotFound("The server has no console log.")
    return Path(found)


def keep(connection: Connection, name: str, log: Path) -> None:
    """Move what the container *name* has written to its terminal since the last time into *log*: nobody else does."""

    def look(handle: Any) -> str:
        console = xml.parse(handle.lookupByName(name).XMLDesc(0), what="domain's XML").find("devices/console")
        return "" if console is None else console.get("tty") or ""

    terminal = connection.call("find the server's console", look)
    if not terminal:
        return
    descriptor = os.open(terminal, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        with log.open("ab") as stream:
            log.chmod(0o640)
            while (data := _available(descriptor)) and stream.tell() < MOST_BYTES:
                stream.write(data)
    finally:
        os.close(descriptor)


def _available(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def tail(log: Path, *, max_bytes: int, runner: Runner) -> bytes:
    """The last *max_bytes* of a console, whatever bytes they are, over the newest pieces of its log.

    :raises errors.NotFound: the guest has no log
    """
    output = b""
    for number, piece in enumerate((log, *(Path(f"{log}.{older}") for older in range(PIECES)))):
        wanted = max_bytes - len(output)
        if wanted <= 0:
            break
        found = _end_of(piece, wanted, runner)
        if found is None:
            if number == 0:
                raise errors.NotFound("The server has no console log.")
            break
        output = found + output
    return output


def _end_of(path: Path, max_bytes: int, runner: Runner) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except PermissionError:
        return runner.run(["tail", "-c", str(max_bytes), str(path)], as_root=True).stdout
    with os.fdopen(descriptor, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - max_bytes))
        return stream.read(max_bytes)
