# SPDX-License-Identifier: Apache-2.0
"""The domain XML, as golden files in ``tests/data/libvirt``.  With NOVA_WRITE_GOLDEN=1 the files are written anew."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from nova.domain.cpu_topology import CpuTopology
from nova.system import xml
from nova.virt.libvirt.xml.agent import AgentChannel
from nova.virt.libvirt.xml.clock import Clock
from nova.virt.libvirt.xml.container import Container, IdMap
from nova.virt.libvirt.xml.controller import ScsiController
from nova.virt.libvirt.xml.cpu import Cpu
from nova.virt.libvirt.xml.cputune import CpuTune
from nova.virt.libvirt.xml.disk import FileDisk, IscsiDisk, PathDisk
from nova.virt.libvirt.xml.domain import Domain
from nova.virt.libvirt.xml.graphics import Vnc
from nova.virt.libvirt.xml.interface import BridgeInterface
from nova.virt.libvirt.xml.metadata import Metadata, is_ours, printable
from nova.virt.libvirt.xml.os import Boot
from nova.virt.libvirt.xml.rng import Rng
from nova.virt.libvirt.xml.secret import IscsiSecret
from nova.virt.libvirt.xml.serial import Serial
from nova.virt.libvirt.xml.watchdog import Watchdog

DATA = Path(__file__).parents[3] / "data" / "libvirt"
UUID = "11111111-2222-3333-4444-555555555555"
METADATA = Metadata(display_name="web", project_id="p", user_id="u", flavor="m1.tiny")


def domain(**values: object) -> Domain:
    defaults: dict[str, object] = {
        "virt_type": "kvm",
        "name": "instance-0000000a",
        "uuid": UUID,
        "memory_mb": 512,
        "vcpus": 1,
        "metadata": METADATA,
        "boot": Boot(),
        "cpu": Cpu(),
        "serial": Serial(log_file="/instances/x/console.log"),
    }
    return Domain(**(defaults | values))  # type: ignore[arg-type]


OVERLAY = FileDisk(
    path="/instances/x/root", format="qcow2", target="vda", boot_order=1, backing_path="/instances/_base/abc"
)
CHAP = IscsiDisk(
    iqn="iqn.2010-10.org.openstack:volume-1",
    lun=1,
    address="10.0.0.5",
    port=3260,
    target="vdb",
    serial="volume-1",
    username="user",
    secret_uuid=UUID,
)
CARD = BridgeInterface(bridge="br100", mac_address="02:16:3e:00:00:01", tap="tap0123456789a", mtu=1450)

GOLDEN = {
    "minimal": domain(virt_type="qemu"),
    "whole-disk": domain(disks=(OVERLAY,), interfaces=(CARD,), graphics=Vnc(keymap="en-us")),
    "raw-copy": domain(disks=(FileDisk(path="/instances/x/root", format="raw", target="vda", cache="writethrough"),)),
    "cdrom": domain(
        disks=(
            FileDisk(path="/instances/x/cdrom", format="raw", target="sda", bus="sata", cdrom=True, boot_order=1),
            FileDisk(path="/instances/x/root", format="qcow2", target="vda", boot_order=2),
        )
    ),
    "three-parts": domain(boot=Boot(machine="pc", kernel="/instances/x/kernel", ramdisk="/instances/x/ramdisk")),
    "kernel-only": domain(boot=Boot(kernel="/instances/x/kernel")),
    "volumes": domain(
        disks=(
            IscsiDisk(iqn="iqn.x:1", lun=0, address="fd00::1", port=3261, target="vda", serial="boot", boot_order=1),
            CHAP,
            PathDisk(path="/dev/disk/by-path/ip-10.0.0.5:3260-iscsi-iqn.x:2-lun-1", target="vdc", serial="volume-2"),
        )
    ),
    "host-model": domain(cpu=Cpu(mode="host-model"), vcpus=4, memory_mb=8192),
    "hardware": domain(
        vcpus=8,
        boot=Boot(machine="q35", menu=True, uefi=True),
        cpu=Cpu(mode="custom", model="Westmere", topology=CpuTopology(sockets=2, cores=2, threads=2)),
        cpu_tune=CpuTune(limits={"shares": 512, "period": 100000, "quota": 50000}),
        clock=Clock(hpet=True),
        disks=(
            FileDisk(path="/instances/x/root", format="raw", target="sda", bus="scsi", limits={"read_bytes_sec": 1024}),
        ),
        scsi=ScsiController(),
        interfaces=(
            BridgeInterface(
                bridge="br100",
                mac_address="02:16:3e:00:00:01",
                tap="tap0123456789a",
                queues=4,
                limits={"inbound_average": 100, "inbound_peak": 200, "outbound_average": 50},
            ),
        ),
        graphics=Vnc(video="virtio", video_ram_mb=16, tablet=True),
        rng=Rng(bytes_per_period=1024, period_ms=500),
        watchdog=Watchdog(action="reset"),
        agent=AgentChannel(),
    ),
    "container": Container(
        name="instance-0000000a",
        uuid=UUID,
        memory_mb=64,
        vcpus=1,
        metadata=METADATA,
        root="/instances/x/rootfs",
        log_file="/instances/x/console.log",
        users=IdMap(user=100000, group=100000, count=65536),
        interfaces=(dataclasses.replace(CARD, model="none"),),
    ),
    "no-randomness": domain(rng=None),
    "vnc-everywhere": domain(graphics=Vnc(listen="0.0.0.0")),
    "hostile-names": domain(
        metadata=Metadata(
            display_name="${x} ]]> \"/><disk type='file'/> \x00\x1b", project_id="<", user_id="&", flavor='"'
        )
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_domain_is_as_recorded(name: str) -> None:
    path = DATA / f"{name}.xml"
    text = GOLDEN[name].text()
    if os.environ.get("NOVA_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_every_recorded_file_belongs_to_a_domain() -> None:
    assert {path.stem for path in DATA.glob("*.xml")} == set(GOLDEN)


def test_a_hostile_name_adds_no_element() -> None:
    root = xml.parse(GOLDEN["hostile-names"].text())
    assert root.findall(".//disk") == []
    assert root.find("metadata")[0][0].text.startswith("${x} ]]> \"/><disk type='file'/>")


def test_every_disk_says_its_format() -> None:
    for made in GOLDEN.values():
        for disk in made.build().iterfind("devices/disk"):
            assert disk.find("driver").get("type") in ("raw", "qcow2")
            assert disk.get("type") != "file" or disk.find("backingStore") is not None


def test_only_a_domain_with_our_mark_is_ours() -> None:
    assert is_ours(GOLDEN["minimal"].text())
    assert not is_ours("<domain><metadata><other xmlns='urn:nova:instance:2'/></metadata></domain>")
    assert not is_ours("<domain/>")


def test_a_secret_holds_no_value_and_is_kept_from_disk_and_clients() -> None:
    root = xml.parse(IscsiSecret(uuid=UUID, usage="volume-1").text())
    assert (root.get("ephemeral"), root.get("private")) == ("yes", "yes")
    assert root.findtext("usage/target") == "volume-1"
    assert root.find("value") is None


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert re.fullmatch(r"a\ufffd\ufffdb\n\t", printable("a\x00\ufffeb\n\t"))


def test_the_serial_number_is_the_servers_own() -> None:
    """OSSN-0028: what a guest reads from SMBIOS says nothing of its host"""
    text = xml.serialize(domain().build())
    system = {entry.get("name"): entry.text for entry in xml.parse(text).iterfind("sysinfo/system/entry")}
    assert (system["serial"], system["uuid"]) == (UUID, UUID)
    assert xml.parse(text).find("os/smbios").get("mode") == "sysinfo"
    for path in Path("/sys/class/dmi/id").glob("*serial*"):
        host = path.read_text(errors="replace").strip() if os.access(path, os.R_OK) else ""
        assert len(host) < 6 or host not in text
