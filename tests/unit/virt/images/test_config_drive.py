# SPDX-License-Identifier: Apache-2.0
"""Configuration drives in both forms, read back with the tools of a guest."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from nova import errors
from nova.domain.guest_metadata import openstack_tree
from nova.domain.guest_metadata.config_drive import files_of
from nova.domain.instance import InjectedFile
from nova.domain.network import FixedAddress, Nic
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.virt.images.config_drive import PREFIX, ConfigDriveSettings, make
from tests.unit.domain.guest_metadata.test_ec2_tree import facts

USER_DATA = b"#!/bin/sh\n\x00\xff"
HOSTILE = InjectedFile(path="/../../x", contents=base64.b64encode(b"hello").decode())
CARD = Nic(
    vif_uuid="0f0e0d0c-0b0a-4908-8706-050403020100",
    mac_address="02:16:3e:00:00:07",
    network_uuid="n",
    label="private",
    bridge="br100",
    gateway="10.0.0.1",
    dns=("10.0.0.1",),
    injected=True,
    addresses=(FixedAddress(address="10.0.0.7", version=4, netmask="255.255.255.0"),),
)


def files() -> dict[str, bytes]:
    told = facts(instance={"user_data": base64.b64encode(USER_DATA).decode()}, nics=(CARD,))
    return dict(files_of(told, files=(HOSTILE,), admin_password=Secret("s3cret")))


def read_iso(path: Path, name: str) -> bytes:
    return subprocess.run(["isoinfo", "-R", "-i", str(path), "-x", f"/{name}"], check=True, capture_output=True).stdout


def read_vfat(path: Path, name: str) -> bytes:
    return subprocess.run(["mtype", "-i", str(path), f"::/{name}"], check=True, capture_output=True).stdout


@pytest.mark.parametrize(("form", "read"), [("iso9660", read_iso), ("vfat", read_vfat)])
def test_each_file_is_on_the_drive_as_it_is(tmp_path: Path, form: str, read: object) -> None:
    assert callable(read)
    (tmp_path / f"{PREFIX}left by a crash").mkdir()
    target = tmp_path / "config"
    make(target, files(), ConfigDriveSettings(format=form), runner=CommandRunner(), parent=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    assert target.stat().st_mode & 0o777 == 0o640
    for name, content in files().items():
        assert read(target, name) == content
    found = subprocess.run(["blkid", "-o", "value", "-s", "LABEL", str(target)], capture_output=True, check=True)
    assert found.stdout.strip().lower() == b"config-2"


def test_the_drive_has_what_the_service_says_and_what_only_the_guest_may_know() -> None:
    found = files()
    told = json.loads(found["openstack/latest/meta_data.json"])
    assert told["admin_pass"] == "s3cret"
    assert told["files"] == [{"path": "/../../x", "content_path": "/content/0001"}]
    assert told["network_config"] == {"name": "network_config", "content_path": "/content/0000"}
    assert found["openstack/content/0001"] == b"hello"
    assert b"iface eth0 inet static\n    address 10.0.0.7" in found["openstack/content/0000"]
    assert found["openstack/2013-10-17/user_data"] == found["ec2/2009-04-04/user-data"] == USER_DATA
    assert json.loads(found["ec2/latest/meta-data.json"])["instance-id"] == "i-0000000a"
    assert "ec2/1.0/meta-data.json" not in found
    over_http = json.loads(openstack_tree.find(facts(nics=(CARD,)), "2020-10-14", "meta_data.json") or b"")
    assert not {"admin_pass", "files"} & over_http.keys()
    assert all(".." not in name and not name.startswith("/") for name in found)


def test_a_failing_tool_leaves_nothing(tmp_path: Path) -> None:
    settings = ConfigDriveSettings(iso_program="false")
    with pytest.raises(errors.HypervisorError):
        make(tmp_path / "config", files(), settings, runner=CommandRunner(), parent=tmp_path)
    assert list(tmp_path.iterdir()) == []
