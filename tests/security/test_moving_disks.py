# SPDX-License-Identifier: Apache-2.0
"""Disks that go from one host to another, with the real programs: what the guest wrote, and what a bad host says."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from pathlib import Path

import pytest

from nova import errors
from nova.domain.disk_offer import DiskOffer, OfferedDisk
from nova.secret import Secret
from tests.unit.virt.images.images import MIB, bootable
from tests.unit.virt.libvirt.test_disks import INSTANCE, build, make


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def test_a_planted_header_is_not_followed_by_a_move(tmp_path: Path) -> None:
    """CVE-2016-2140, CVE-2013-7130: the bytes arrive as they are, and in no cache"""
    canary, header = tmp_path / "canary", tmp_path / "header"
    canary.write_bytes(b"\xcd" * MIB)
    here, there = make(tmp_path / "here", use_cow_images=False), make(tmp_path / "there", use_cow_images=False)
    build(here, bootable())
    disk = tmp_path / "here" / INSTANCE.uuid / "root"
    planted = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", str(canary), "-F", "raw", str(header), "1G"]
    subprocess.run(planted, check=True)
    with disk.open("r+b") as stream:
        stream.write(header.read_bytes())
    before = digest(disk)
    here.set_disks_aside(INSTANCE, move_id=1)
    offer = here.offer_disks(INSTANCE, move_id=1)
    try:
        there.fetch_disks(INSTANCE, offer, move_id=1, old_flavor=INSTANCE.flavor, devices=())
    finally:
        here.withdraw_disks(INSTANCE)
    assert digest(tmp_path / "there" / INSTANCE.uuid / "root") == before
    cached = tmp_path / "there" / "_base"
    assert not cached.exists() or not [path for path in cached.iterdir() if not path.name.startswith(".lock")]
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size < MIB]
    assert offer.key is not None
    assert not [path for path in keys if offer.key.reveal().encode() in path.read_bytes()]


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", "a/b", "", ".part", "-x", "x" * 300])
@pytest.mark.parametrize("kind", ["disks", "files"])
def test_another_host_names_no_place_outside_of_the_server(tmp_path: Path, name: str, kind: str) -> None:
    """OSSN-0055: who has one host writes on no other"""
    there = make(tmp_path / "there")
    offered = OfferedDisk(name=name, size_bytes=MIB)
    offer = dataclasses.replace(DiskOffer(address="127.0.0.1", key=Secret("00" * 32)), **{kind: (offered,)})
    with pytest.raises(errors.HypervisorError, match="none of ours"):
        there.make_landing_disks(INSTANCE, offer, move_id=1)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
