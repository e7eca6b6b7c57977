# SPDX-License-Identifier: Apache-2.0
"""The EC2 tree by itself: disks, versions, listings."""

from __future__ import annotations

from typing import Any

from nova.domain.block_device import BlockDevice
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.guest_metadata import ec2_tree
from nova.domain.guest_metadata.facts import Facts
from nova.domain.instance import Instance
from nova.domain.states import VmState


def facts(*, instance: dict[str, Any] | None = None, **values: Any) -> Facts:
    row: dict[str, Any] = {
        "id": 10,
        "uuid": "u",
        "user_id": "alice",
        "project_id": "apples",
        "display_name": "web",
        "hostname": "web",
        "flavor": STOCK_FLAVORS[0],
        "vm_state": VmState.ACTIVE,
        **(instance or {}),
    }
    return Facts(instance=Instance(**row), zone="nova", **values)


def blank(name: str, **values: Any) -> BlockDevice:
    return BlockDevice(**{"source_type": "blank", "destination_type": "local", "device_name": name, **values})


def read(told: Facts, path: str, version: str = "latest") -> bytes | None:
    return ec2_tree.find(told, version, path.split("/") if path else [])


def test_disks_are_named_by_their_purpose() -> None:
    devices = (
        blank("/dev/vdb"),
        blank("/dev/vdc", guest_format="swap"),
        blank("/dev/vdd", source_type="volume", destination_type="volume", volume_id="v"),
        blank("/dev/vde", no_device=True),
    )
    told = facts(devices=devices, instance={"root_device_name": "/dev/vda"})
    names = ("ami", "root", "ephemeral0", "swap", "ebs0")
    found = [read(told, f"meta-data/block-device-mapping/{name}") for name in names]
    assert found == [b"vda", b"/dev/vda", b"vdb", b"vdc", b"vdd"]
    assert read(told, "meta-data/block-device-mapping/ephemeral1") is None


def test_an_unknown_root_is_where_old_guests_expect_it() -> None:
    assert read(facts(), "meta-data/block-device-mapping/ami") == b"sda1"


def test_a_server_without_a_key_has_no_directory_of_keys() -> None:
    assert read(facts(), "meta-data/public-keys") is None
    assert b"public-keys" not in (read(facts(), "meta-data") or b"")


def test_a_server_without_a_domain_has_a_bare_host_name() -> None:
    assert read(facts(), "meta-data/hostname") == b"web"
    assert read(facts(domain="example.org"), "meta-data/hostname") == b"web.example.org"


def test_groups_stand_on_lines_of_their_own() -> None:
    assert read(facts(groups=("a", "b")), "meta-data/security-groups") == b"a\nb"


def test_nothing_is_below_a_file() -> None:
    assert read(facts(), "meta-data/hostname/more") is None


def test_damaged_user_data_is_none() -> None:
    assert facts(instance={"user_data": "a"}).user_data is None
