# SPDX-License-Identifier: Apache-2.0
"""Image files that point at the host: refused in Python at upload and before a cache, their target never read."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from nova import errors
from nova.virt.images.inspector import GIB, check_fits, inspect
from tests.functional.cloud import SmallCloud
from tests.unit.virt.images.images import qcow2, set_incompatible_bit, vmdk

CANARY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
Maker = Callable[[Path, Path], Path]


def backed_by(form: str) -> Maker:
    return lambda path, canary: qcow2(path, backing=form.format(canary))


def with_bit(bit: int) -> Maker:
    def make(path: Path, _canary: Path) -> Path:
        set_incompatible_bit(qcow2(path), bit)
        return path

    return make


def with_data_file(path: Path, _canary: Path) -> Path:
    return qcow2(path, options=f"data_file={path}.data,data_file_raw=on")


def descriptor(path: Path, canary: Path) -> Path:
    """A VMDK in text that names a file of the host as its extent."""
    path.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
        f'createType="monolithicFlat"\nRW 1 FLAT "{canary}" 0\n'
    )
    return path


def of_bytes(head: bytes) -> Maker:
    def make(path: Path, _canary: Path) -> Path:
        path.write_bytes(head.ljust(1 << 20, b"\0"))
        return path

    return make


HOSTILE: dict[str, tuple[str, Maker]] = {
    "backing file": ("qcow2", backed_by("{}")),
    "json backing file": ("qcow2", backed_by('json:{{"driver":"raw","file.filename":"{}"}}')),
    "nbd backing file": ("qcow2", backed_by("nbd://127.0.0.1:1/x")),
    "backing file labelled raw": ("raw", backed_by("{}")),
    "data file": ("qcow2", with_data_file),
    "data file labelled raw": ("raw", with_data_file),
    **{f"incompatible bit {bit}": ("qcow2", with_bit(bit)) for bit in (2, 5, 17, 63)},
    "flat descriptor": ("vmdk", descriptor),
    "flat descriptor labelled raw": ("raw", descriptor),
    "split vmdk": ("vmdk", lambda path, _canary: vmdk(path, "twoGbMaxExtentFlat")),
    "vhdx": ("raw", of_bytes(b"vhdxfile")),
    "qed": ("raw", of_bytes(b"QED\0" + struct.pack("<III", 65536, 4, 1))),
    "luks": ("raw", of_bytes(b"LUKS\xba\xbe\x00\x01")),
    "parallels": ("raw", of_bytes(b"WithoutFreeSpace")),
    "a qcow2 that is none": ("qcow2", of_bytes(b"plain")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_points_elsewhere_becomes_no_image(tmp_path: Path, kind: str) -> None:
    """CVE-2011-3147, CVE-2022-47951, CVE-2024-32498, CVE-2024-40767, CVE-2024-44082, CVE-2015-5163"""
    canary = tmp_path / "canary"
    canary.write_text(CANARY)
    label, make = HOSTILE[kind]
    path = make(tmp_path / "hostile", canary)
    with pytest.raises(errors.InvalidImage) as caught:
        inspect(path, label)
    assert CANARY not in f"{caught.value} {caught.value.data}"
    cloud = SmallCloud(store=tmp_path / "store")
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=None, disk_format=label)
    answer = cloud.upload(token, image_id, path.read_bytes())
    assert 400 <= answer.status_int < 500
    shown = cloud.image("GET", f"/v2/images/{image_id}", token=token)
    assert shown.json["status"] != "active"
    assert CANARY not in answer.text + shown.text
    assert str(tmp_path) not in shown.text
    assert [each for each in (tmp_path / "store").rglob("*") if each.is_file()] == []


@pytest.mark.parametrize(
    "label", ["vhd", "vhdx", "vdi", "qed", "parallels", "luks", "ploop", "docker", "file:///etc/passwd", ""]
)
def test_formats_that_nobody_needs_are_refused_by_label(label: str) -> None:
    """CVE-2024-44082"""
    with pytest.raises(errors.InvalidImage):
        inspect(io.BytesIO(b"x" * 1000), label)


def test_the_unpacked_size_counts_not_that_of_the_file(tmp_path: Path) -> None:
    """CVE-2013-2096, CVE-2013-4463, CVE-2013-4469, LP 1739646"""
    facts = inspect(qcow2(tmp_path / "small", size="1T"), "qcow2")
    assert facts.size_bytes < 1 << 22
    with pytest.raises(errors.InvalidImage):
        check_fits(facts, limit_gb=1, free_bytes=1 << 50)
    with pytest.raises(errors.NoCapacity):
        check_fits(facts, limit_gb=0, free_bytes=10 * GIB)
    with pytest.raises(errors.InvalidImage):
        check_fits(facts, limit_gb=0, free_bytes=1 << 50, max_bytes=100 * GIB)


def test_nothing_is_unpacked_on_the_way(tmp_path: Path) -> None:
    """CVE-2013-4463"""
    packed = gzip.compress(bytes(1 << 20))
    assert inspect(io.BytesIO(packed), "raw").virtual_size_bytes == len(packed)
