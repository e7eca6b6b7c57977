# SPDX-License-Identifier: Apache-2.0
"""Which files of a guest are changed before its first start, and how.

Files that its owner gave must be written, or the boot fails.  Key, password and network settings are written where the
guest has a place for them; a guest that has none starts without, since it may ask the metadata service.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass

from nova import errors
from nova.domain.guest_metadata.interfaces_file import PATH as INTERFACES
from nova.domain.injection import Injection
from nova.secret import Secret
from nova.virt.images.ext_files import ExtFiles
from nova.virt.images.qemu_img import Runner

LOG = logging.getLogger(__name__)
KEYS = "/root/.ssh/authorized_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionSettings:
    """Values of the options."""

    partition: int = -2
    """-2: nothing is written; -1: the partition that holds a system; 0: the disk has none; else its number"""
    inject_key: bool = True
    inject_password: bool = False

    def wants(self, injection: Injection) -> bool:
        """Whether there is something to write."""
        return self.partition != -2 and bool(
            injection.files
            or (injection.key and self.inject_key)
            or (injection.admin_password and self.inject_password)
            or injection.network
        )


def inject(files: ExtFiles, injection: Injection, settings: InjectionSettings, *, runner: Runner) -> None:
    """Write what is to be written.

    :raises errors.InvalidImage: a file of the owner could not be written
    """
    files.repair()
    for file in injection.files:
        files.write(file.path, base64.b64decode("".join(file.contents.split())))
    optional: list[tuple[str, Callable[[], None]]] = []
    if injection.network:
        optional.append(("network settings", lambda: files.write(INTERFACES, injection.network)))
    if injection.key and settings.inject_key:
        optional.append(("key", lambda: _add_key(files, injection.key)))
    if (password := injection.admin_password) is not None and settings.inject_password:
        optional.append(("password", lambda: _set_password(files, password, runner)))
    for what, write in optional:
        try:
            write()
        except errors.NovaError as exc:
            LOG.warning("The %s of a guest could not be written into its files: %s", what, exc)


def _add_key(files: ExtFiles, key: str) -> None:
    before = files.read(KEYS) or b""
    line = key.strip().encode()
    if line in before.splitlines():
        return
    if before and not before.endswith(b"\n"):
        before += b"\n"
    files.write(KEYS, before + line + b"\n", mode=0o600, directory_mode=0o700)


def _set_password(files: ExtFiles, password: Secret, runner: Runner) -> None:
    """Into shadow(5), or into passwd(5) where there is no such file."""
    path = "/etc/shadow" if files.read("/etc/shadow") is not None else "/etc/passwd"
    before = files.read(path)
    if before is None:
        raise errors.InvalidImage("The image has no list of users.")
    hashed = _hash(password, runner)
    lines = [_with_password(line, hashed) for line in before.split(b"\n")]
    if lines == before.split(b"\n"):
        raise errors.InvalidImage("The image has no user root.")
    files.write(path, b"\n".join(lines), mode=0o600)


def _with_password(line: bytes, hashed: bytes) -> bytes:
    fields = line.split(b":")
    return b":".join([fields[0], hashed, *fields[2:]]) if fields[0] == b"root" and len(fields) > 1 else line


def _hash(password: Secret, runner: Runner) -> bytes:
    """crypt(5) with SHA-512; the password goes through a pipe and is on no command line."""
    done = runner.run(["openssl", "passwd", "-6", "-stdin"], stdin=password.reveal().encode() + b"\n")
    return done.stdout.strip()
