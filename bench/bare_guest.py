# SPDX-License-Identifier: Apache-2.0
"""A guest like a server's, which libvirt runs without us."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import uuid
from pathlib import Path

import libvirt

from bench.cloud import BenchCloud
from bench.timing import poll
from tests.integration.netns import run
from tests.integration.production import COMPUTE

FILLED_MIB, FILLED_AT_MIB = 256, 512
"""What is written onto a disk that is copied: a guest that has been used, at the end of its disk"""


def fill(disk: Path) -> None:
    """Write bytes that nothing can compress onto a disk whose guest is off."""
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as content:
        for _ in range(FILLED_MIB):
            content.write(os.urandom(1024**2))
        content.flush()
        command = f"write -q -s {content.name} {FILLED_AT_MIB}M {FILLED_MIB}M"
        run("qemu-io", "-f", "qcow2", "-c", command, str(disk))


class Console:
    """The file that a guest's console goes to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = b""

    def mark(self) -> None:
        """What is there now is of no interest: the guest is about to be powered on."""
        self._before = self._text()

    def booted(self) -> bool:
        """Whether the guest has come to its login prompt since then."""
        return b"login:" in self._text().removeprefix(self._before)

    def _text(self) -> bytes:
        return self._path.read_bytes() if self._path.exists() else b""


class BareGuest:
    """A running copy of a server's domain: the same disk below, the same machine, a card of its own on the bridge."""

    def __init__(self, cloud: BenchCloud, server: str) -> None:
        self._connection = libvirt.open(cloud.uri)
        instances = cloud.files.state(COMPUTE) / "instances"
        own = str(uuid.uuid4())
        self._directory = instances / own
        self._directory.mkdir()
        self.disk = self._directory / "root"
        told = json.loads(run("qemu-img", "info", "--force-share", "--output=json", str(instances / server / "root")))
        base = ("-b", told["full-backing-filename"], "-F", told["backing-filename-format"])
        run("qemu-img", "create", "-q", "-f", "qcow2", *base, str(self.disk))
        domain = self._connection.lookupByUUIDString(server)
        xml: str = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        xml = xml.replace(server, own).replace(f"<name>{domain.name()}</name>", "<name>bare</name>")
        xml = re.sub(r"<mac address='..:..:..:..", "<mac address='52:54:00:ba", xml)
        xml = re.sub(r"<target dev='tap[^']*'", "<target dev='tapbare'", xml)
        self._console = Console(self._directory / "console.log")
        self._domain = self._connection.defineXML(xml)
        self._domain.create()

    def has_booted(self) -> bool:
        """Whether it has come to its login prompt."""
        return self._console.booted()

    def stop(self) -> None:
        """Ask it to power off, and wait until it has."""
        self._domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        poll(lambda: not self._domain.isActive())

    def start(self) -> None:
        """Power on."""
        self._console.mark()
        self._domain.create()

    def reboot(self) -> None:
        """Off, by its own doing, and on again."""
        self.stop()
        self.start()

    def reset(self) -> None:
        """Off at once, and on again."""
        self._domain.destroy()
        self.start()

    def convert(self) -> None:
        """A copy of its disk that is whole in itself."""
        target = self._directory / "copy"
        run("qemu-img", "convert", "-q", "-O", "qcow2", str(self.disk), str(target))
        target.unlink()

    def close(self) -> None:
        """Be gone."""
        if self._domain.isActive():
            self._domain.destroy()
        self._domain.undefine()
        self._connection.close()
        shutil.rmtree(self._directory)
