# SPDX-License-Identifier: Apache-2.0
"""The two ways to a volume, and that no password is where it can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nova import errors
from nova.domain.block_device import BlockDevice, VolumeConnection
from nova.secret import Secret
from nova.system import xml
from nova.system.commands import Completed, ResourceLimits
from nova.virt.driver import AttachedVolume
from nova.virt.libvirt.initiators import DiskPlace, portal
from nova.virt.libvirt.open_iscsi import HostInitiator

IQN = "iqn.2010-10.org.openstack:volume-1"
CANARY = "canary-7f3a"


def volume(where: str = "10.0.0.5:3260", iqn: str = IQN) -> AttachedVolume:
    way = VolumeConnection(volume_id="1", portal=where, iqn=iqn, lun=1, username="user", password=Secret(CANARY))
    return AttachedVolume(
        device=BlockDevice(source_type="volume", destination_type="volume", volume_id="1"), connection=way
    )


class Recorder:
    """A runner that notes commands; ``--login`` makes the device appear."""

    def __init__(self, device: Path) -> None:
        self.device = device
        self.commands: list[tuple[str, ...]] = []
        self.stdin: list[bytes] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float = 60.0,
        ok_codes: Sequence[int] = (0,),
        as_root: bool = False,
        limits: ResourceLimits | None = None,
    ) -> Completed:
        assert as_root
        self.commands.append(tuple(argv))
        if stdin is not None:
            self.stdin.append(stdin)
        if "--login" in argv:
            self.device.touch()
        return Completed(
            b"# BEGIN RECORD 2.1.8\nnode.name = x\niface.ipaddress = <empty>\n"
            b"node.session.auth.authmethod = None\n# END RECORD\n",
            b"",
            0,
        )


@pytest.fixture
def by_path(tmp_path: Path) -> Path:
    return tmp_path


def test_the_host_logs_in_with_the_password_in_its_record_only(by_path: Path) -> None:
    device = by_path / f"ip-10.0.0.5:3260-iscsi-{IQN}-lun-1"
    runner = Recorder(device)
    initiator = HostInitiator(runner, records=(by_path / "nodes",), by_path=by_path)
    initiator.connect(volume())
    assert not any(CANARY in word for command in runner.commands for word in command)
    record = runner.stdin[0].decode()
    assert f"node.session.auth.password = {CANARY}\n" in record
    assert "authmethod = CHAP" in record
    assert "authmethod = None" not in record
    assert "<empty>" not in record
    assert initiator.disk(volume(), place=DiskPlace(target="vdb")).path == str(device)
    assert CANARY not in xml.serialize(initiator.disk(volume(), place=DiskPlace(target="vdb")).build())


def test_the_host_logs_out_of_what_the_disk_names(by_path: Path) -> None:
    runner = Recorder(by_path / "x")
    initiator = HostInitiator(runner, by_path=by_path)
    initiator.disconnect(initiator.disk(volume(), place=DiskPlace(target="vdb")).build())
    assert [command[7:] for command in runner.commands] == [("--logout",), ("-o", "delete")]
    assert runner.commands[0][:7] == ("iscsiadm", "-m", "node", "-T", IQN, "-p", "10.0.0.5:3260,1")


def test_a_target_name_that_is_none_is_refused(by_path: Path) -> None:
    runner = Recorder(by_path / "x")
    for iqn in ("", "--logout", "iqn.x/../../etc", "iqn.x\n"):
        with pytest.raises(errors.HypervisorError, match="target name"):
            HostInitiator(runner, by_path=by_path).connect(volume(iqn=iqn))
    assert runner.commands == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.5:3261", ("10.0.0.5", 3261)),
        ("10.0.0.5", ("10.0.0.5", 3260)),
        ("[fd00::1]:3261", ("fd00::1", 3261)),
        ("fd00::1", ("fd00::1", 3260)),
    ],
)
def test_portals_are_read(text: str, found: tuple[str, int]) -> None:
    assert portal(volume(text).connection) == found


def test_a_portal_with_a_strange_port_is_refused() -> None:
    with pytest.raises(errors.HypervisorError):
        portal(volume("10.0.0.5:http").connection)
