# SPDX-License-Identifier: Apache-2.0
"""Booting a real guest through all daemons, against bare libvirt; a part of ``python -m bench``.

The floor, measured in turns with ours: the same domain defined and started on a ready disk, one reload of dnsmasq, and
one iptables-restore of the rules that are in force.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import time
import uuid
from pathlib import Path

import libvirt

from bench.api_alone import Caller
from bench.cloud import BenchCloud, boot, is_active
from bench.table import Row
from bench.timing import poll, seconds
from tests.integration.netns import run
from tests.integration.production import COMPUTE, command_line

TURNS = 5
MOST = 2.0


def rows() -> list[Row]:
    """One row."""
    with BenchCloud(driver="libvirt") as cloud:
        image_id, caller = cloud.with_image(), cloud.caller()
        bare = BareLibvirt(cloud)
        _ours(cloud, caller, image_id, bare)  # fetches the image, and makes the network's wiring
        times = [(_ours(cloud, caller, image_id, bare), bare.turn()) for _ in range(TURNS)]
        bare.close()
    ours_s, floor_s = (statistics.median(column) for column in zip(*times, strict=True))
    what = "boot a server, POST to ACTIVE, QEMU (floor: bare libvirt, dnsmasq reload, iptables-restore)"
    return [Row(what=what, ours=ours_s * 1000, floor=floor_s * 1000, unit="ms", at_most_ratio=MOST)]


def _ours(cloud: BenchCloud, caller: Caller, image_id: str, bare: BareLibvirt) -> float:
    """Seconds from POST to ACTIVE; the server is gone when it returns."""
    began_at = time.perf_counter()
    server = boot(caller, image_id, "bench")
    poll(lambda: is_active(caller, server))
    took_s = time.perf_counter() - began_at
    bare.learn(server)
    caller.call("DELETE", f"/servers/{server}")
    poll(lambda: not json.loads(caller.get("/servers"))["servers"])
    return took_s


class BareLibvirt:
    """The same guest without us."""

    def __init__(self, cloud: BenchCloud) -> None:
        self._cloud = cloud
        self._connection = libvirt.open(cloud.uri)
        self._instances = cloud.files.state(COMPUTE) / "instances"
        self._uuid = str(uuid.uuid4())
        self._xml = ""
        self._rules = b""

    def learn(self, server: str) -> None:
        """Take over domain and rules of a server that runs, and make a disk like its own."""
        domain = self._connection.lookupByUUIDString(server)
        xml: str = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        self._xml = xml.replace(server, self._uuid).replace(f"<name>{domain.name()}</name>", "<name>bare</name>")
        self._rules = subprocess.run(["iptables-save"], capture_output=True, check=True).stdout
        (self._instances / self._uuid).mkdir(exist_ok=True)
        disk = self._instances / server / "root"
        told = json.loads(run("qemu-img", "info", "--force-share", "--output=json", str(disk)))
        base = ("-b", told["full-backing-filename"], "-F", told["backing-filename-format"])
        run("qemu-img", "create", "-q", "-f", "qcow2", *base, str(self._instances / self._uuid / "root"))

    def turn(self) -> float:
        """Seconds of one start; the guest is gone when it returns."""
        took_s = seconds(self._start)
        domain = self._connection.lookupByUUIDString(self._uuid)
        domain.destroy()
        domain.undefine()
        return took_s

    def _start(self) -> None:
        self._connection.defineXML(self._xml).create()
        os.kill(self._dnsmasq(), signal.SIGHUP)
        subprocess.run(["iptables-restore"], input=self._rules, check=True)

    def _dnsmasq(self) -> int:
        return next(pid for pid in self._cloud.pids() if Path(command_line(pid).split(" ")[0]).name == "dnsmasq")

    def close(self) -> None:
        """Leave the hypervisor."""
        self._connection.close()
