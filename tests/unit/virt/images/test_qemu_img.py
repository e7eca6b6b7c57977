# SPDX-License-Identifier: Apache-2.0
"""qemu-img is told every format, and follows no header that a guest wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova import errors
from nova.system.commands import CommandRunner
from nova.virt.images.qemu_img import QemuImg
from tests.unit.virt.images import images


@pytest.fixture
def qemu_img() -> QemuImg:
    return QemuImg(CommandRunner())


def test_a_planted_header_in_a_raw_disk_is_not_followed_when_it_grows(qemu_img: QemuImg, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"host file")
    planted = images.qcow2(tmp_path / "planted", options=f"data_file={tmp_path / 'other'},data_file_raw=on")
    disk = tmp_path / "disk"
    disk.write_bytes(planted.read_bytes().ljust(images.MIB, b"\0"))
    qemu_img.resize(disk, "raw", size_bytes=2 * images.MIB)
    assert disk.stat().st_size == 2 * images.MIB
    assert victim.read_bytes() == b"host file"
    assert qemu_img.info(disk, "raw").virtual_size_bytes == 2 * images.MIB


def test_an_overlay_shows_its_base_in_its_own_size(qemu_img: QemuImg, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.write_bytes(images.bootable())
    qemu_img.create_overlay(tmp_path / "disk", base=base, base_format="raw", size_bytes=8 * images.MIB)
    info = qemu_img.info(tmp_path / "disk", "qcow2")
    assert (info.format, info.virtual_size_bytes, info.backing_file) == ("qcow2", 8 * images.MIB, str(base))


def test_a_conversion_writes_no_more_than_it_may(qemu_img: QemuImg, tmp_path: Path) -> None:
    source = images.qcow2(tmp_path / "source", size="10M")
    with pytest.raises(errors.HypervisorError):
        qemu_img.convert(source, "qcow2", tmp_path / "target", "raw", max_bytes=images.MIB)


def test_a_broken_file_is_an_error_with_the_tools_words(qemu_img: QemuImg, tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"nothing")
    with pytest.raises(errors.HypervisorError) as caught:
        qemu_img.info(tmp_path / "disk", "qcow2")
    assert "qcow2" in caught.value.detail


def test_nobody_else_calls_qemu_img() -> None:
    root = Path(__file__).parents[4] / "nova"
    callers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"""["']qemu-(img|nbd|io)["']""", path.read_text())
    }
    assert callers <= {"virt/images/qemu_img.py"}
