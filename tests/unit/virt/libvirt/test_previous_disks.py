# SPDX-License-Identifier: Apache-2.0
"""Disks that are set aside and put back: whole, whatever is cut off where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.states import VmState
from nova.virt.libvirt.layout import DiskRecord, Layout, LocalDisk
from nova.virt.libvirt.previous_disks import PreviousDisks

ONE = Instance(
    id=1,
    uuid="11111111-1111-4111-8111-111111111111",
    user_id="u",
    project_id="p",
    display_name="one",
    hostname="one",
    flavor=Flavor(flavor_id="1", name="tiny", memory_mb=1, vcpus=1, root_gb=1),
    vm_state=VmState.ACTIVE,
)
OLD = {"root": "old root", "kernel": "old kernel", "ephemeral": "old data", "config": "old config"}
NEW = {"root": "new root", "ramdisk": "new ramdisk", "ephemeral": "new data"}


def record(names: dict[str, str], base: str) -> DiskRecord:
    disks = [LocalDisk(name=name, format="qcow2", target="vda", base=base) for name in names if name != "kernel"]
    return DiskRecord(disks=tuple(disks), direct_boot="kernel" in names)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path)
    write(made, OLD, "old-base")
    (made.directory(ONE) / "console.log").write_text("what it said")
    return made


def write(layout: Layout, files: dict[str, str], base: str) -> None:
    """What ``create_disks`` does: whatever is there already stays."""
    directory = layout.directory(ONE)
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        if not (directory / name).exists():
            (directory / name).write_text(content)
    layout.write_record(ONE, record(files, base))


def files(layout: Layout) -> dict[str, str]:
    found = [path for path in layout.directory(ONE).iterdir() if path.is_file()]
    return {path.name: path.read_text() for path in found if path.name not in ("console.log", "disks.json")}


def test_disks_are_set_aside_replaced_and_dropped(layout: Layout) -> None:
    previous = PreviousDisks(layout)
    previous.set_aside(ONE, key="7", keep_ephemeral=False)
    assert files(layout) == {}
    assert layout.bases_in_use() == {layout.bases / "old-base"}
    write(layout, NEW, "new-base")
    previous.set_aside(ONE, key="7", keep_ephemeral=False)
    assert files(layout) == NEW
    assert layout.bases_in_use() == {layout.bases / "old-base", layout.bases / "new-base"}
    previous.drop(ONE)
    previous.drop(ONE)
    assert layout.bases_in_use() == {layout.bases / "new-base"}
    assert sorted(path.name for path in layout.directory(ONE).iterdir()) == sorted(["console.log", "disks.json", *NEW])


@pytest.mark.parametrize("keep_ephemeral", [True, False])
def test_what_was_set_aside_is_put_back_in_place_of_what_is_new(layout: Layout, keep_ephemeral: bool) -> None:
    previous, before = PreviousDisks(layout), layout.read_record(ONE)
    previous.set_aside(ONE, key="7", keep_ephemeral=keep_ephemeral)
    write(layout, NEW, "new-base")
    assert files(layout)["ephemeral"] == ("old data" if keep_ephemeral else "new data")
    previous.restore(ONE, key="7")
    previous.restore(ONE, key="7")
    assert files(layout) == OLD
    assert layout.read_record(ONE) == before


def test_disks_that_another_operation_set_aside_are_not_taken_for_ones_own(layout: Layout) -> None:
    previous = PreviousDisks(layout)
    previous.set_aside(ONE, key="7", keep_ephemeral=False)
    write(layout, NEW, "new-base")
    previous.set_aside(ONE, key="8", keep_ephemeral=False)
    assert files(layout) == {}
    previous.restore(ONE, key="8")
    assert files(layout) == NEW


class Cut(Exception):
    """The daemon is killed."""


class Scissors:
    """Lets the n-th change of a name be the last thing that happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        for name in ("rename", "replace", "unlink", "rmdir"):
            monkeypatch.setattr(Path, name, self._cutting(getattr(Path, name)))
        monkeypatch.setattr(os, "replace", self._cutting(os.replace))

    def _cutting(self, real: object) -> object:
        def change(*arguments: object, **options: object) -> object:
            if self.left == 0:
                raise Cut
            self.left -= 1
            return real(*arguments, **options)  # type: ignore[operator]

        return change


@pytest.mark.parametrize("begun_again", [True, False])
@pytest.mark.parametrize("keep_ephemeral", [True, False])
@pytest.mark.parametrize("after", range(12))
def test_setting_aside_may_be_cut_off_anywhere_and_undone(
    layout: Layout, after: int, keep_ephemeral: bool, begun_again: bool
) -> None:
    previous, before = PreviousDisks(layout), layout.read_record(ONE)
    with pytest.MonkeyPatch.context() as patch:
        Scissors(patch, after)
        try:
            previous.set_aside(ONE, key="7", keep_ephemeral=keep_ephemeral)
        except Cut:
            pass
    if begun_again:
        previous.set_aside(ONE, key="7", keep_ephemeral=keep_ephemeral)
    previous.restore(ONE, key="7")
    assert files(layout) == OLD
    assert layout.read_record(ONE) == before


@pytest.mark.parametrize("keep_ephemeral", [True, False])
@pytest.mark.parametrize("after", range(14))
def test_putting_back_may_be_cut_off_anywhere_and_the_rebuild_begun_again(
    layout: Layout, after: int, keep_ephemeral: bool
) -> None:
    previous, before = PreviousDisks(layout), layout.read_record(ONE)
    previous.set_aside(ONE, key="7", keep_ephemeral=keep_ephemeral)
    write(layout, NEW, "new-base")
    with pytest.MonkeyPatch.context() as patch:
        Scissors(patch, after)
        try:
            previous.restore(ONE, key="7")
        except Cut:
            pass
    previous.set_aside(ONE, key="7", keep_ephemeral=keep_ephemeral)
    assert "old root" not in files(layout).values()
    write(layout, NEW, "new-base")
    previous.restore(ONE, key="7")
    assert files(layout) == OLD
    assert layout.read_record(ONE) == before
