# SPDX-License-Identifier: Apache-2.0
"""Image files that point at the host: refused in Python at upload and before a cache, their target never read."""

from __future__ import annotations

import dataclasses
import gzip
import io
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.context import RequestContext
from nova.system.commands import CommandRunner, Completed
from nova.virt.images.cache import CacheSettings, ImageCache
from nova.virt.images.inspector import GIB, check_fits, inspect
from nova.virt.images.qemu_img import QemuImg
from tests.functional.cloud import SmallCloud
from tests.unit.virt.images.images import Store, bootable, described, qcow2, set_incompatible_bit, vmdk
from tests.unit.virt.libvirt.test_disks import FLAVOR, INSTANCE, build, make

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


class Watched(CommandRunner):
    """Runs commands, and knows which."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[list[str]] = []
        self.limits: list[Any] = []

    def run(self, argv: Any, **options: Any) -> Completed:
        self.commands.append(list(argv))
        self.limits.append(options.get("limits"))
        return super().run(argv, **options)


def cache_in(directory: Path) -> tuple[ImageCache, Watched]:
    runner = Watched()
    settings = CacheSettings(directory=directory / "_base", host="here")
    return ImageCache(settings, qemu_img=QemuImg(runner), runner=runner), runner


def left_in(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file() and not path.name.startswith(".lock")]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_points_elsewhere_reaches_no_cache(tmp_path: Path, kind: str) -> None:
    """CVE-2011-3147, CVE-2024-44082, CVE-2022-47951, CVE-2024-32498: and no program is run on it"""
    canary = tmp_path / "canary"
    canary.write_text(CANARY)
    label, make_file = HOSTILE[kind]
    data = make_file(tmp_path / "hostile", canary).read_bytes()
    cache, runner = cache_in(tmp_path)
    image = described(data, disk_format=label)
    with pytest.raises(errors.InvalidImage) as caught:
        cache.fetch(RequestContext(), image, Store(**{image.id: data}), limit_gb=1)
    assert runner.commands == []
    assert left_in(tmp_path / "_base") == []
    assert CANARY not in f"{caught.value} {caught.value.data}"


def test_a_compressed_image_that_unpacks_to_more_is_refused(tmp_path: Path) -> None:
    """CVE-2013-4463"""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    with plain.open("wb") as stream:
        stream.write(b"x" * (1 << 24))
        stream.truncate(2 * GIB)
    subprocess.run(["qemu-img", "convert", "-q", "-c", "-f", "raw", "-O", "qcow2", str(plain), str(packed)], check=True)
    data = packed.read_bytes()
    assert len(data) < 1 << 20
    cache, runner = cache_in(tmp_path)
    image = described(data, disk_format="qcow2")
    with pytest.raises(errors.InvalidImage, match="unpacks"):
        cache.fetch(RequestContext(), image, Store(**{image.id: data}), limit_gb=1)
    assert runner.commands == []
    assert left_in(tmp_path / "_base") == []


@pytest.mark.parametrize("use_cow_images", [True, False])
def test_without_copy_on_write_the_size_is_checked_too(tmp_path: Path, use_cow_images: bool) -> None:
    """CVE-2013-4469, CVE-2013-2096"""
    data = qcow2(tmp_path / "huge", size="1T").read_bytes()
    driver = make(tmp_path / "instances", use_cow_images=use_cow_images)
    image = described(data, disk_format="qcow2")
    with pytest.raises(errors.InvalidImage, match="unpacks"):
        driver.fetch_images(RequestContext(), (image,), Store(**{image.id: data}), limit_gb=1)
    assert left_in(tmp_path / "instances") == []


def test_no_word_of_an_image_names_a_cache_entry(tmp_path: Path) -> None:
    """CVE-2013-6437: names are digests, or a size; an image's words choose none of them"""
    data = bootable()
    cache, _ = cache_in(tmp_path)
    before = described(data)
    paths = set()
    for words in ({"os_type": "a1"}, {"os_type": "../../etc"}, {"os_type": "a2", "hw_disk_bus": "virtio"}):
        image = dataclasses.replace(before, name=words["os_type"], properties=words)
        paths.add(cache.fetch(RequestContext(), image, Store(**{image.id: data})))
    assert len(paths) == 1
    assert left_in(tmp_path / "_base") == [path.name for path in paths]
    driver = make(tmp_path / "instances")
    for words in ({"os_type": "b1"}, {"os_type": "../x"}):
        image = dataclasses.replace(before, properties=words)
        instance = dataclasses.replace(
            INSTANCE, uuid=str(INSTANCE.uuid), flavor=dataclasses.replace(FLAVOR, ephemeral_gb=1)
        )
        driver.fetch_images(RequestContext(), (image,), Store(**{image.id: data}))
        driver.create_disks(instance, image=image, kernel=None, ramdisk=None)
    names = left_in(tmp_path / "instances" / "_base")
    assert len([name for name in names if name.startswith("ephemeral")]) == 1
    assert len(names) == 2


def test_qemu_img_runs_within_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2015-5162: what the program itself sees, whichever of its uses it is"""
    seen = tmp_path / "seen"
    program = tmp_path / "qemu-img"
    program.write_text(f"#!/bin/sh\necho $1 $(ulimit -v) $(ulimit -t) $(ulimit -f) >> {seen}\necho '{{}}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    tool, disk = QemuImg(CommandRunner()), tmp_path / "disk"
    tool.create(disk, "raw", size_bytes=GIB)
    tool.create_overlay(disk, base=disk, base_format="raw", size_bytes=GIB)
    tool.convert(disk, "qcow2", tmp_path / "other", "raw", max_bytes=GIB)
    tool.resize(disk, "raw", size_bytes=GIB)
    with pytest.raises(KeyError):
        tool.info(disk, "raw")
    lines = [line.split() for line in seen.read_text().splitlines()]
    assert [words[0] for words in lines] == ["create", "create", "convert", "resize", "info"]
    for use, memory_kib, cpu_s, blocks in lines:
        assert int(memory_kib) <= 4 * 1024**2, use
        assert int(cpu_s) <= 600, use
        assert blocks == "unlimited" or use == "convert"
    assert int(lines[2][3]) * 512 <= GIB + 512


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_files_of_guests_are_for_their_owner_only_whatever_the_umask_is(tmp_path: Path, open_umask: None) -> None:
    """CVE-2013-0326, OSSN-0014"""
    home = tmp_path / "instances"
    driver = make(home)
    instance = dataclasses.replace(INSTANCE, flavor=dataclasses.replace(FLAVOR, ephemeral_gb=1, swap_mb=8))
    image = build(driver, bootable(), instance)
    driver.create_rescue_disk(instance, image=image, kernel=None, ramdisk=None)
    cloud = SmallCloud(store=tmp_path / "store")
    cloud.new_image(cloud.token("alice"))
    made = [path for place in (home, tmp_path / "store") for path in (place, *place.rglob("*"))]
    assert len(made) > 12
    open_ones = {str(path): oct(path.stat().st_mode) for path in made if path.stat().st_mode & 0o007}
    assert open_ones == {}
    writable = {str(path) for path in made if path.is_file() and path.stat().st_mode & 0o020}
    assert writable == set()
