# SPDX-License-Identifier: Apache-2.0
"""The LVM driver on a real volume group; run by test_lvm.py under a kernel of its own.  Says ``ok`` and ends with 0."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import NoCapacity, Unavailable
from nova.system.commands import CommandRunner, InProcess
from nova.system.rootwrap import Gate
from nova.volume.drivers.lvm import Clear, LvmDriver

DISK = "/dev/ubdb"
MARK = b"somebody's secret " * 100
GB = 1 << 30


def gate() -> Gate:
    """The shipped filters, where only root can write."""
    directory = Path("/run/rootwrap")
    directory.mkdir()
    shipped = Path(__file__).parents[2] / "etc" / "nova" / "rootwrap.d" / "volume.filters"
    (directory / "volume.filters").write_text(shipped.read_text())
    conf = directory / "rootwrap.conf"
    conf.write_text(f"[DEFAULT]\nfilters_path={directory}\nexec_dirs=/sbin,/usr/sbin,/bin,/usr/bin\n")
    return Gate(conf)


def volume(size_gb: int = 1) -> Volume:
    return Volume(
        id=str(uuid.uuid4()), user_id="alice", project_id="apples", size_gb=size_gb, status=VolumeStatus.CREATING
    )


def logical_volumes() -> list[str]:
    listed = subprocess.run(["lvs", "--noheadings", "-o", "lv_name"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def main() -> None:
    driver = LvmDriver(CommandRunner(InProcess(gate())), group="nova-volumes", clear=Clear.ZERO, clear_mb=8)
    try:
        driver.check()
        raise SystemExit("a missing group was not noticed")
    except Unavailable:
        pass
    with Path(DISK).open("r+b") as disk:
        for offset in range(0, 16 << 20, 1 << 16):
            disk.seek(offset)
            disk.write(MARK)
    subprocess.run(["vgcreate", "-y", "-ff", "nova-volumes", DISK], check=True, stdout=subprocess.DEVNULL)
    driver.check()
    total, free = driver.capacity()
    assert 2.5 < free <= total < 3.1, (total, free)

    first = volume()
    driver.create(first)
    with driver.path(first).open("r+b", buffering=0) as device:
        assert device.seek(0, 2) == GB
        device.seek(0)
        assert not device.read(8 << 20).strip(b"\0"), "a new volume shows what was on the disk before"
        device.seek(4096)
        device.write(MARK)
    assert logical_volumes() == [first.name]
    driver.delete(first)
    driver.delete(first)
    assert logical_volumes() == []
    second = volume()
    driver.create(second)
    driver.create(second)
    with driver.path(second).open("rb", buffering=0) as device:
        assert MARK[:16] not in device.read(8 << 20), "a volume shows what another one held"
    try:
        driver.create(volume(5))
        raise SystemExit("a volume was made where there is no room")
    except NoCapacity:
        pass
    assert logical_volumes() == [second.name]
    print("ok")


if __name__ == "__main__":
    main()
