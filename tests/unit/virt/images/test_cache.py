# SPDX-License-Identifier: Apache-2.0
"""The cache holds whole, verified, raw bases under names of its own, each fetched once."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.context import RequestContext
from nova.system.commands import CommandRunner
from nova.virt.images.cache import CacheSettings, ImageCache
from nova.virt.images.qemu_img import QemuImg
from tests.unit.virt.images import images
from tests.unit.virt.images.images import Store, described

CONTEXT = RequestContext(request_id="req-test")


@pytest.fixture
def cache(tmp_path: Path) -> ImageCache:
    return make_cache(tmp_path / "_base")


def make_cache(directory: Path, **settings: int) -> ImageCache:
    runner = CommandRunner()
    return ImageCache(
        CacheSettings(directory=directory, host="here", **settings), qemu_img=QemuImg(runner), runner=runner
    )


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith(".lock"))


def test_a_raw_image_is_kept_byte_for_byte_and_read_only(cache: ImageCache) -> None:
    data = images.bootable()
    image = described(data)
    base = cache.fetch(CONTEXT, image, Store(**{image.id: data}))
    assert base.read_bytes() == data
    assert base.stat().st_mode & 0o777 == 0o440
    assert files(base.parent) == [base.name]


def test_a_qcow2_image_becomes_raw(cache: ImageCache, tmp_path: Path) -> None:
    data = images.qcow2(tmp_path / "disk", size="5M").read_bytes()
    image = described(data, disk_format="qcow2")
    base = cache.fetch(CONTEXT, image, Store(**{image.id: data}))
    assert base.stat().st_size == 5 * images.MIB
    assert files(base.parent) == [base.name]


def test_any_number_of_callers_at_once_fetch_it_once(cache: ImageCache) -> None:
    data = images.bootable()
    image = described(data)
    store = Store(**{image.id: data})
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.fetch(CONTEXT, image, store))) for _number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.reads == 1
    assert len(found) == 12
    assert len(set(found)) == 1


def test_changed_bytes_under_an_old_digest_are_refused_and_leave_nothing(cache: ImageCache) -> None:
    image = described(images.bootable())
    other = images.bootable()[:-1] + b"!"
    with pytest.raises(errors.InvalidImage, match="sha512"):
        cache.fetch(CONTEXT, image, Store(**{image.id: other}))
    assert files(cache.path_of(image).parent) == []


def test_an_md5_is_enough_where_the_image_service_has_no_better(cache: ImageCache) -> None:
    md5 = "900150983cd24fb0d6963f7d28e17f72"
    image = dataclasses.replace(described(b"abc"), checksum=md5, hash_algo=None, hash_value=None)
    assert cache.fetch(CONTEXT, image, Store(**{image.id: b"abc"})).read_bytes() == b"abc"


def test_an_image_without_any_digest_is_refused(cache: ImageCache) -> None:
    image = dataclasses.replace(described(b"x"), hash_value=None)
    with pytest.raises(errors.InvalidImage, match="no checksum"):
        cache.fetch(CONTEXT, image, Store())


def test_new_bytes_under_the_same_id_get_a_new_entry(cache: ImageCache) -> None:
    one, two = images.bootable(), images.bootable(2 * images.MIB)
    first = cache.fetch(CONTEXT, described(one), Store(**{described(one).id: one}))
    second = cache.fetch(CONTEXT, described(two), Store(**{described(two).id: two}))
    assert first != second
    assert first.read_bytes() == one


def test_an_endless_download_is_cut(cache: ImageCache) -> None:
    image = described(b"x" * 100)

    class Endless:
        def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
            while True:
                yield b"y" * 1000

    with pytest.raises(errors.InvalidImage, match="longer than"):
        cache.fetch(CONTEXT, image, Endless())


def test_a_small_file_of_huge_virtual_size_leaves_nothing(cache: ImageCache, tmp_path: Path) -> None:
    data = images.qcow2(tmp_path / "bomb", size="1T").read_bytes()
    image = described(data, disk_format="qcow2")
    with pytest.raises(errors.InvalidImage, match="flavor's disk of 1 GB"):
        cache.fetch(CONTEXT, image, Store(**{image.id: data}), limit_gb=1)
    with pytest.raises(errors.NoCapacity, match="No space left on device"):
        cache.fetch(CONTEXT, image, Store(**{image.id: data}))
    assert files(cache.path_of(image).parent) == []


def test_a_cached_base_is_still_held_against_a_smaller_flavor(cache: ImageCache, tmp_path: Path) -> None:
    data = images.qcow2(tmp_path / "disk", size="2G").read_bytes()
    image = described(data, disk_format="qcow2")
    store = Store(**{image.id: data})
    cache.fetch(CONTEXT, image, store, limit_gb=2)
    with pytest.raises(errors.InvalidImage, match="flavor"):
        cache.fetch(CONTEXT, image, store, limit_gb=1)


def test_a_full_disk_says_so_with_the_hosts_name(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "_base", reserved_disk_bytes=2**62)
    data = images.bootable()
    image = described(data)
    with pytest.raises(errors.NoCapacity, match="No space left on device of host here"):
        cache.fetch(CONTEXT, image, Store(**{image.id: data}))


def test_ephemeral_and_swap_bases_are_made_once_for_each_size(cache: ImageCache) -> None:
    ephemeral = cache.ephemeral(1)
    made = ephemeral.stat().st_ino
    assert cache.ephemeral(1).stat().st_ino == made
    assert ephemeral.name == "ephemeral_1_ext4_0"
    with ephemeral.open("rb") as stream:
        assert stream.read(4096)[1080:1082] == b"\x53\xef"
    assert cache.swap(64).read_bytes()[4086:4096] == b"SWAPSPACE2"


def test_bases_that_nobody_uses_age_out(cache: ImageCache) -> None:
    old, used, fresh = cache.swap(1), cache.swap(2), cache.swap(3)
    (old.parent / ".part-dead").write_bytes(b"half")
    long_ago = time.time() - 5000
    for path in (old, used, old.parent / ".part-dead"):
        os.utime(path, (long_ago, long_ago))
    assert len(cache.age_out(frozenset({used}), min_age_s=1000)) == 2
    assert files(old.parent) == sorted([used.name, fresh.name])


@pytest.mark.parametrize(("label", "tool"), [("vhd", "vpc"), ("vdi", "vdi"), ("vmdk", "vmdk"), ("qcow2", "qcow2")])
def test_every_container_is_unpacked(tmp_path: Path, label: str, tool: str) -> None:
    content = b"guest" * 100_000
    source, packed = tmp_path / "source", tmp_path / "packed"
    source.write_bytes(content.ljust(images.MIB, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", tool, str(source), str(packed)], check=True)
    data = packed.read_bytes()
    runner = CommandRunner()
    settings = CacheSettings(directory=tmp_path / "cache", host="here", extra_formats=frozenset({"vhd", "vdi"}))
    cache = ImageCache(settings, qemu_img=QemuImg(runner), runner=runner)
    image = described(data, disk_format=label)
    base = cache.fetch(CONTEXT, image, Store(**{image.id: data}))
    assert base.read_bytes()[: len(content)] == content
