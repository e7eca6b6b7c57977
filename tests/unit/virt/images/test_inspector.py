# SPDX-License-Identifier: Apache-2.0
"""What the inspector takes and what it refuses, at upload and on the compute host alike."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from nova import errors
from nova.virt.images import inspector
from tests.unit.virt.images import images


@pytest.mark.parametrize(("label", "tool"), [("vhd", "vpc"), ("vdi", "vdi")])
def test_formats_that_the_operator_lets_in(tmp_path: Path, label: str, tool: str) -> None:
    path = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", tool, str(path), "8M"], check=True)
    with pytest.raises(errors.InvalidImage, match="not accepted; use one of raw"):
        inspector.inspect(path, label)
    facts = inspector.inspect(path, label, extra_formats={"vhd", "vdi"})
    assert facts.storage_format == tool
    assert 8 * images.MIB <= facts.virtual_size_bytes < 9 * images.MIB


@pytest.mark.parametrize(
    ("label", "tool", "at", "kind"), [("vhd", "vpc", 60, b"\0\0\0\4"), ("vdi", "vdi", 0x4C, b"\4\0\0\0")]
)
def test_files_that_depend_on_others_are_let_in_by_nobody(
    tmp_path: Path, label: str, tool: str, at: int, kind: bytes
) -> None:
    path = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", tool, str(path), "8M"], check=True)
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(kind)
    with pytest.raises(errors.InvalidImage, match="depends on another file"):
        inspector.inspect(path, label, extra_formats={"vhd", "vdi"})


def test_a_qcow2_file_is_taken_with_its_virtual_size(tmp_path: Path) -> None:
    facts = inspector.inspect(images.qcow2(tmp_path / "disk", size="7M"), "qcow2")
    assert (facts.storage_format, facts.virtual_size_bytes) == ("qcow2", 7 * images.MIB)
    assert facts.size_bytes == (tmp_path / "disk").stat().st_size


def test_a_raw_disk_is_as_large_as_its_file() -> None:
    facts = inspector.inspect(io.BytesIO(images.bootable()), "raw")
    assert (facts.storage_format, facts.virtual_size_bytes) == ("raw", images.MIB)


@pytest.mark.parametrize("disk_format", ["ami", "aki", "ari"])
def test_the_three_parts_of_an_old_image_are_plain_bytes(disk_format: str) -> None:
    assert inspector.inspect(io.BytesIO(b"\x1f\x8b" + b"x" * 5000), disk_format).storage_format == "raw"


@pytest.mark.parametrize("name", ["/etc/passwd", "json:{}", "nbd://127.0.0.1/x"])
def test_a_backing_file_is_refused_whatever_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.InvalidImage, match="backing file"):
        inspector.inspect(images.qcow2(tmp_path / "evil", backing=name), "qcow2")


def test_an_external_data_file_is_refused(tmp_path: Path) -> None:
    images.qcow2(tmp_path / "evil", options=f"data_file={tmp_path / 'victim'},data_file_raw=on")
    with pytest.raises(errors.InvalidImage, match="data in another file"):
        inspector.inspect(tmp_path / "evil", "qcow2")


@pytest.mark.parametrize("bit", [4, 5, 17, 63])
def test_an_unknown_incompatible_feature_is_refused(tmp_path: Path, bit: int) -> None:
    images.set_incompatible_bit(images.qcow2(tmp_path / "evil"), bit)
    with pytest.raises(errors.InvalidImage, match="features"):
        inspector.inspect(tmp_path / "evil", "qcow2")


def test_a_qcow2_file_labelled_raw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidImage, match="labelled raw, but its content is qcow2"):
        inspector.inspect(images.qcow2(tmp_path / "evil"), "raw")


def test_a_raw_file_labelled_qcow2_is_refused() -> None:
    with pytest.raises(errors.InvalidImage, match="content is gpt"):
        inspector.inspect(io.BytesIO(images.bootable()), "qcow2")


@pytest.mark.parametrize("subformat", ["streamOptimized", "monolithicSparse"])
def test_a_vmdk_file_of_one_piece_is_taken(tmp_path: Path, subformat: str) -> None:
    facts = inspector.inspect(images.vmdk(tmp_path / "disk", subformat), "vmdk")
    assert facts.storage_format == "vmdk"
    assert facts.virtual_size_bytes >= 80000


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse"])
def test_a_vmdk_file_that_names_other_files_is_refused(tmp_path: Path, subformat: str) -> None:
    with pytest.raises(errors.InvalidImage):
        inspector.inspect(images.vmdk(tmp_path / "disk.vmdk", subformat), "vmdk")


def test_a_vmdk_file_without_capacity_is_refused(tmp_path: Path) -> None:
    path = images.vmdk(tmp_path / "disk", "monolithicSparse")
    with path.open("r+b") as stream:
        stream.seek(12)
        stream.write(b"\0" * 8)
    with pytest.raises(errors.InvalidImage, match="capacity"):
        inspector.inspect(path, "vmdk")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"vhdxfile", "vhdx"),
        (b"QED\0", "qed"),
        (b"conectix", "vhd"),
        (b"\0" * 64 + b"\x7f\x10\xda\xbe", "vdi"),
        (b"WithoutFreeSpace", "parallels"),
        (b"LUKS\xba\xbe\0\x01", "luks"),
        (b"Bochs Virtual HD Image", "bochs"),
    ],
)
@pytest.mark.parametrize("label", ["raw", "ami", "qcow2"])
def test_formats_that_nobody_needs_are_refused_by_name(head: bytes, name: str, label: str) -> None:
    with pytest.raises(errors.InvalidImage, match=name):
        inspector.inspect(io.BytesIO(head.ljust(400 * 1024, b"\0")), label)


@pytest.mark.parametrize("label", ["vhdx", "vdi", "luks", "", "QCOW2", "raw\n"])
def test_labels_outside_the_list_are_refused(label: str) -> None:
    with pytest.raises(errors.InvalidImage, match="not accepted"):
        inspector.inspect(io.BytesIO(b"x" * 1024), label)


def test_a_file_with_two_formats_in_it_is_refused(tmp_path: Path) -> None:
    data = bytearray(images.qcow2(tmp_path / "evil").read_bytes().ljust(64 * 1024, b"\0"))
    data[32769:32774] = b"CD001"
    with pytest.raises(errors.InvalidImage, match="iso and qcow2"):
        inspector.inspect(io.BytesIO(bytes(data)), "qcow2")


@pytest.mark.parametrize("label", ["qcow2", "vmdk", "iso"])
def test_files_that_end_too_early_are_refused(tmp_path: Path, label: str) -> None:
    for length in (0, 1, 40, 300):
        with pytest.raises(errors.InvalidImage):
            inspector.inspect(io.BytesIO((b"QFI\xfb\0\0\0\x03" + b"\0" * 400)[:length]), label)


def test_an_image_larger_than_the_flavor_or_the_host_is_refused() -> None:
    facts = inspector.ImageFacts(
        disk_format="qcow2", storage_format="qcow2", size_bytes=1, virtual_size_bytes=3 * inspector.GIB
    )
    with pytest.raises(errors.InvalidImage, match="flavor"):
        inspector.check_fits(facts, limit_gb=2, free_bytes=10 * inspector.GIB)
    with pytest.raises(errors.NoCapacity, match="No space left on device"):
        inspector.check_fits(facts, limit_gb=0, free_bytes=inspector.GIB)
    with pytest.raises(errors.InvalidImage, match="at most"):
        inspector.check_fits(facts, limit_gb=0, free_bytes=10 * inspector.GIB, max_bytes=inspector.GIB)
    inspector.check_fits(facts, limit_gb=3, free_bytes=3 * inspector.GIB)
