# SPDX-License-Identifier: Apache-2.0
"""Trees of images as they come out of the reader, and images that want something else."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from nova import errors
from nova.virt.images.ext_reader import ExtReader, Owners, TreeWriter
from tests.unit.virt.images.images import MIB

BIG = bytes(range(256)) * 4096
OURS = Owners(shift=None)


def make(directory: Path, kind: str = "ext4", *options: str) -> Path:
    tree = directory / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/motd").write_text("hello")
    (tree / "etc/link").symlink_to("/etc/motd")
    (tree / "etc/far").symlink_to("../" * 40 + "outside")
    (tree / "big").write_bytes(BIG)
    with (tree / "sparse").open("wb") as stream:
        stream.seek(3 * MIB)
        stream.write(b"end")
    (tree / "many").mkdir()
    for number in range(300):
        (tree / f"many/file with a long name {number}").write_text(str(number))
    (tree / "tool").write_text("#!/bin/sh\n")
    (tree / "tool").chmod(0o4755)
    os.mkfifo(tree / "pipe")
    made = directory / "fs"
    words = [f"mkfs.{kind}", "-q", "-F", *options, "-d", str(tree), str(made), "16M"]
    subprocess.run(words, check=True, capture_output=True)
    return made


def write(image: Path, target: Path, *, max_bytes: int = 64 * MIB, owners: Owners = OURS, offset: int = 0) -> None:
    with image.open("rb") as stream:
        TreeWriter(ExtReader(stream, offset=offset), owners=owners, max_bytes=max_bytes).write(target)


def debugfs(image: Path, *requests: str) -> None:
    for request in requests:
        subprocess.run(["debugfs", "-w", "-R", request, str(image)], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("ext2", ()), ("ext3", ()), ("ext4", ()), ("ext4", ("-b", "1024", "-O", "^64bit")), ("ext4", ("-b", "4096"))],
)
def test_the_tree_is_as_it_was(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    image, target = make(tmp_path, kind, *options), tmp_path / "out"
    write(image, target)
    tree = tmp_path / "tree"
    for path in tree.rglob("*"):
        copy = target / path.relative_to(tree)
        if path.name == "pipe":
            assert not copy.exists()
        elif path.is_symlink():
            assert copy.readlink() == path.readlink()
        elif path.is_file():
            assert copy.read_bytes() == path.read_bytes()
    assert (target / "tool").stat().st_mode & 0o7777 == 0o755
    assert (target / "sparse").stat().st_blocks * 512 < MIB
    assert not (tmp_path / "outside").exists()


def test_a_file_system_behind_a_partition_table(tmp_path: Path) -> None:
    image = make(tmp_path)
    moved = tmp_path / "moved"
    moved.write_bytes(bytes(MIB) + image.read_bytes())
    write(moved, tmp_path / "out", offset=MIB)
    assert (tmp_path / "out/etc/motd").read_text() == "hello"


@pytest.mark.root
def test_users_of_the_image_are_shifted(tmp_path: Path) -> None:
    image = make(tmp_path)
    debugfs(image, "sif /etc/motd uid 7", "sif /etc/motd gid 200000")
    write(image, tmp_path / "out", owners=Owners(shift=100_000))
    found = (tmp_path / "out/etc/motd").stat()
    assert (found.st_uid, found.st_gid) == (100_007, 165_534)
    assert (tmp_path / "out").stat().st_uid == 100_000
    assert (tmp_path / "out/tool").stat().st_mode & stat.S_ISUID


ENTRY = b"\x04\x01motd"
"""In a directory: four characters, a regular file"""


@pytest.mark.parametrize("name", [b"../x", b"a/b/", b"/etc", b"a\0bc"])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: bytes) -> None:
    image = make(tmp_path)
    data = image.read_bytes()
    assert data.count(ENTRY) == 1
    image.write_bytes(data.replace(ENTRY, ENTRY[:2] + name))
    with pytest.raises(errors.InvalidImage, match="a name that is none"):
        write(image, tmp_path / "out")
    assert not list(tmp_path.rglob("x"))


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    """A link and a directory of one name would lead a writer through the link."""
    image = make(tmp_path)
    image.write_bytes(image.read_bytes().replace(ENTRY, ENTRY[:2] + b"link"))
    with pytest.raises(errors.InvalidImage, match="a name twice"):
        write(image, tmp_path / "out")


def test_more_than_the_flavor_gives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidImage, match="disk"):
        write(make(tmp_path), tmp_path / "out", max_bytes=100_000)


def test_a_file_of_enormous_size_is_refused(tmp_path: Path) -> None:
    image = make(tmp_path)
    debugfs(image, "sif /sparse size 1099511627776")
    with pytest.raises(errors.InvalidImage):
        write(image, tmp_path / "out")


def test_a_directory_in_itself_ends(tmp_path: Path) -> None:
    image = make(tmp_path)
    debugfs(image, "link / /etc/again")
    with pytest.raises(errors.InvalidImage):
        write(image, tmp_path / "out")


@pytest.mark.parametrize("features", ["meta_bg,^resize_inode", "inline_data"])
def test_features_that_are_not_known_are_refused(tmp_path: Path, features: str) -> None:
    with pytest.raises(errors.InvalidImage, match="cannot be read"):
        write(make(tmp_path, "ext4", "-O", features), tmp_path / "out")


@pytest.mark.parametrize("at", [1024 + 32, 1024 + 40, 2048])
def test_damage_is_the_images_fault(tmp_path: Path, at: int) -> None:
    image = make(tmp_path)
    with image.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"\xff" * 64_000)
    with pytest.raises(errors.InvalidImage):
        write(image, tmp_path / "out")


def test_no_file_system_is_said(tmp_path: Path) -> None:
    (tmp_path / "blank").write_bytes(bytes(MIB))
    with pytest.raises(errors.InvalidImage, match="no ext2"):
        write(tmp_path / "blank", tmp_path / "out")
