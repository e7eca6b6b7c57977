# SPDX-License-Identifier: Apache-2.0
"""Volumes on LVM: which commands run, in which order, and what a failed one leads to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import HypervisorError, NoCapacity, Unavailable
from nova.system.commands import Completed
from nova.volume.drivers.lvm import NOT_FOUND, Clear, LvmDriver

VOLUME = Volume(
    id="44444444-4444-4444-8444-444444444444",
    user_id="alice",
    project_id="apples",
    size_gb=2,
    status=VolumeStatus.CREATING,
    display_name="; rm -rf / $(reboot)",
)
NAME = f"volume-{VOLUME.id}"


class Recorder:
    """Runs nothing: notes commands and plays a volume group of 10 GB."""

    def __init__(self, *, there: bool = False, failing: str = "", free: str = "8.00") -> None:
        self.commands: list[str] = []
        self.there, self.failing, self.free = there, failing, free

    def run(self, argv: Sequence[str], *, as_root: bool, timeout_s: float, ok_codes: Sequence[int] = (0,)) -> Completed:
        assert as_root
        self.commands.append(" ".join(argv))
        if argv[0] == self.failing:
            raise HypervisorError(f"The command {argv[0]} failed on this host.", code=1)
        if argv[0] == "lvs":
            return Completed(b"", b"", 0 if self.there else NOT_FOUND)
        return Completed(f"  10.00,{self.free}\n".encode() if argv[0] == "vgs" else b"", b"", 0)

    @property
    def changes(self) -> list[str]:
        """The commands that do more than look."""
        return [line for line in self.commands if line.split()[0] not in ("lvs", "vgs")]


def driver(recorder: Recorder, *, clear: Clear = Clear.ZERO, clear_mb: int = 0) -> LvmDriver:
    return LvmDriver(cast(Any, recorder), group="nova-volumes", clear=clear, clear_mb=clear_mb)


def test_a_volume_is_made_and_cleared_before_anybody_reads_it() -> None:
    recorder = Recorder()
    driver(recorder).create(VOLUME)
    assert recorder.changes == [
        f"lvcreate -L 2g -n {NAME} -W y -y nova-volumes",
        f"dd if=/dev/zero of=/dev/nova-volumes/{NAME} bs=1M count=2048 oflag=direct conv=fdatasync",
    ]


def test_a_volume_whose_creation_was_interrupted_is_cleared_and_not_made_again() -> None:
    recorder = Recorder(there=True)
    driver(recorder).create(VOLUME)
    assert [line.split()[0] for line in recorder.changes] == ["dd"]


def test_a_deleted_volume_is_cleared_before_its_room_goes_back() -> None:
    recorder = Recorder(there=True)
    driver(recorder, clear=Clear.SHRED, clear_mb=100).delete(VOLUME)
    assert recorder.changes == [
        f"dd if=/dev/urandom of=/dev/nova-volumes/{NAME} bs=1M count=100 oflag=direct conv=fdatasync",
        f"lvremove -f nova-volumes/{NAME}",
    ]


def test_a_volume_that_cannot_be_cleared_keeps_its_room() -> None:
    recorder = Recorder(there=True, failing="dd")
    with pytest.raises(HypervisorError):
        driver(recorder).delete(VOLUME)
    assert not any(line.startswith("lvremove") for line in recorder.commands)


def test_a_deleted_volume_may_be_deleted_again() -> None:
    recorder = Recorder()
    driver(recorder).delete(VOLUME)
    assert recorder.changes == []


def test_a_full_group_is_no_capacity() -> None:
    recorder = Recorder(free="1.99")
    with pytest.raises(NoCapacity, match="2 GB"):
        driver(recorder).create(VOLUME)
    assert recorder.changes == []


def test_room_is_that_of_the_group() -> None:
    assert driver(Recorder()).capacity() == (10.0, 8.0)


def test_a_group_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(Unavailable, match=r"vgcreate.*volume_group"):
        driver(Recorder(failing="vgs")).check()


def test_no_word_of_a_user_reaches_a_command() -> None:
    recorder = Recorder(there=True)
    driver(recorder).delete(VOLUME)
    assert not any("rm -rf" in line for line in recorder.commands)


def test_a_volume_is_exported_by_its_device() -> None:
    assert driver(Recorder()).path(VOLUME) == Path("/dev/nova-volumes", NAME)


def test_a_wrong_word_for_clearing_is_refused() -> None:
    with pytest.raises(ValueError, match="true"):
        Clear("true")
