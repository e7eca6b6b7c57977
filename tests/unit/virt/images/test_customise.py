# SPDX-License-Identifier: Apache-2.0
"""Files written into new disks of every kind, and file systems grown, checked with the tools of a guest."""

from __future__ import annotations

import base64
import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from nova import errors
from nova.domain.injection import Injection
from nova.domain.instance import InjectedFile
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.virt.images.customise import Changes, DiskCustomiser
from nova.virt.images.injection import InjectionSettings
from nova.virt.images.partitions import read_table
from nova.virt.images.qemu_img import DiskFormat, QemuImg
from tests.unit.virt.images.images import MIB

RUNNER = CommandRunner()
KEY = "ssh-ed25519 AAAAC3Nz alice@example"
DISK_BYTES = 64 * MIB
SECTOR = 512
START = 2048


def file(path: str, content: bytes = b"hello\n") -> InjectedFile:
    return InjectedFile(path=path, contents=base64.b64encode(content).decode())


def file_system(directory: Path, *, links: dict[str, str] | None = None, size: str = "16M", kind: str = "ext4") -> Path:
    tree = directory / "tree"
    for name, content in {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
        "etc/shadow": "root:*:19000:0:99999:7:::\nalice:!:19000::::::\n",
        "root/.profile": "",
    }.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tree / "etc/shadow").chmod(0o640)
    for name, target in (links or {}).items():
        (tree / name).symlink_to(target)
    made = directory / "fs"
    subprocess.run([f"mkfs.{kind}", "-q", "-F", "-d", str(tree), str(made), size], check=True)
    return made


def whole(directory: Path) -> Path:
    return file_system(directory)


def mbr(directory: Path) -> Path:
    content = file_system(directory).read_bytes()
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", START, len(content) // SECTOR)
    made = directory / "mbr"
    made.write_bytes((bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(START * SECTOR, b"\0") + content)
    return made


def gpt(directory: Path) -> Path:
    content = file_system(directory).read_bytes()
    sectors = START + len(content) // SECTOR + 34
    last = sectors - 34 - 1
    entry = struct.pack("<16s16sQQQ72s", b"L" * 16, b"p" * 16, START, START + len(content) // SECTOR - 1, 0, b"")
    entries = entry.ljust(128 * 128, b"\0")

    def header(own: int, other: int, table: int) -> bytes:
        fields = (b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, last, b"d" * 16, table, 128, 128, zlib.crc32(entries))
        packed = struct.pack("<8sIIIIQQQQ16sQIII", *fields)
        return (packed[:16] + struct.pack("<I", zlib.crc32(packed)) + packed[20:]).ljust(SECTOR, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    disk = bytearray((bytes(446) + protective + bytes(48) + b"\x55\xaa").ljust(SECTOR, b"\0"))
    disk += header(1, sectors - 1, 2) + entries
    disk = disk.ljust(START * SECTOR, b"\0") + content
    disk += bytes((sectors - 33) * SECTOR - len(disk)) + entries + header(sectors - 1, 1, sectors - 33)
    made = directory / "gpt"
    made.write_bytes(disk)
    return made


class Bench:
    """A base, a disk made from it, and the changed disk as a guest would see it."""

    def __init__(self, directory: Path, base: Path, disk_format: DiskFormat) -> None:
        self.directory, self.base, self.form = directory, base, disk_format
        self.disk = directory / "disk"
        self.digest = hashlib.sha256(base.read_bytes()).hexdigest()
        tool = QemuImg(RUNNER)
        if disk_format == "qcow2":
            tool.create_overlay(self.disk, base=base, base_format="raw", size_bytes=DISK_BYTES)
        else:
            tool.convert(base, "raw", self.disk, "raw", max_bytes=DISK_BYTES)
            tool.resize(self.disk, "raw", size_bytes=DISK_BYTES)

    def apply(self, *, fill_disk: bool = False, settings: InjectionSettings | None = None, **injection: object) -> None:
        chosen = settings or InjectionSettings(partition=-1, inject_password=True)
        changes = Changes(injection=Injection(**injection), fill_disk=fill_disk)  # type: ignore[arg-type]
        made = DiskCustomiser(chosen, qemu_img=QemuImg(RUNNER), runner=RUNNER)
        made.apply(self.disk, self.form, base=self.base, disk_bytes=DISK_BYTES, changes=changes)
        assert hashlib.sha256(self.base.read_bytes()).hexdigest() == self.digest, "the base was changed"
        assert not list(self.directory.glob(".customise-*"))

    def partition(self) -> Path:
        """The guest's file system, which must be clean."""
        raw = self.directory / "raw"
        QemuImg(RUNNER).convert(self.disk, self.form, raw, "raw", max_bytes=DISK_BYTES + MIB)
        table = read_table(raw)
        found = self.directory / "found"
        data = raw.read_bytes()
        if table.kind:
            only = table.partitions[0]
            data = data[only.start_bytes : only.start_bytes + only.size_bytes]
        found.write_bytes(data)
        checked = subprocess.run(["e2fsck", "-f", "-n", str(found)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
        return found

    def ask(self, request: str) -> str:
        words = ["debugfs", "-R", request, str(self.partition())]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("image", [whole, mbr, gpt])
@pytest.mark.parametrize("disk_format", ["raw", "qcow2"])
def test_files_key_password_and_network_are_in_the_guest(
    tmp_path: Path, image: object, disk_format: DiskFormat
) -> None:
    assert callable(image)
    bench = Bench(tmp_path, image(tmp_path), disk_format)
    bench.apply(
        files=(file("/etc/motd"), file("srv/new place/a b", b"x" * 70000)),
        key=KEY,
        admin_password=Secret("s3cret"),
        network=b"auto lo\n",
    )
    assert bench.ask("cat /etc/motd") == "hello\n"
    assert bench.ask('cat "/srv/new place/a b"') == "x" * 70000
    assert bench.ask("cat /root/.ssh/authorized_keys") == KEY + "\n"
    assert "Mode:  0600" in bench.ask("stat /root/.ssh/authorized_keys")
    assert "Mode:  0700" in bench.ask("stat /root/.ssh")
    assert bench.ask("cat /etc/network/interfaces") == "auto lo\n"
    root, alice = bench.ask("cat /etc/shadow").splitlines()
    hashed = root.split(":")[1]
    salt = hashed.split("$")[2]
    again = subprocess.run(["openssl", "passwd", "-6", "-salt", salt, "s3cret"], capture_output=True, text=True)
    assert hashed == again.stdout.strip()
    assert alice == "alice:!:19000::::::"
    assert "Mode:  0640" in bench.ask("stat /etc/shadow")
    if disk_format == "qcow2":
        assert QemuImg(RUNNER).info(bench.disk, "qcow2").actual_size_bytes < 4 * MIB


@pytest.mark.parametrize("image", [whole, mbr, gpt])
def test_a_single_file_system_fills_the_disk_when_asked_to(tmp_path: Path, image: object) -> None:
    assert callable(image)
    bench = Bench(tmp_path, image(tmp_path), "qcow2")
    bench.apply(fill_disk=True, files=(file("/etc/motd"),))
    assert bench.ask("cat /etc/motd") == "hello\n"
    shown = bench.ask("stats -h")
    blocks = int(next(line for line in shown.splitlines() if line.startswith("Block count")).split()[-1])
    size = int(next(line for line in shown.splitlines() if line.startswith("Block size")).split()[-1])
    assert blocks * size > DISK_BYTES - 2 * MIB
    if image is gpt:
        checked = subprocess.run(["sfdisk", "--verify", str(tmp_path / "raw")], capture_output=True, text=True)
        assert "No errors" in checked.stdout, checked.stdout + checked.stderr


def test_a_manual_disk_keeps_its_file_system(tmp_path: Path) -> None:
    bench = Bench(tmp_path, mbr(tmp_path), "qcow2")
    bench.apply(files=(file("/etc/motd"),))
    assert bench.partition().stat().st_size == 16 * MIB


@pytest.mark.parametrize(
    "path",
    ["../../../tmp/{}", "/../{}", "/etc/{}", "/link/{}", "/root/up/{}"],
    ids=["up", "root", "plain", "link", "far"],
)
def test_paths_and_links_stay_in_the_guest(tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    base = file_system(tmp_path, links={"link": str(outside), "root/up": "../../../../.." + str(outside)})
    bench = Bench(tmp_path, base, "raw")
    bench.apply(files=(file(path.format("canary")),))
    assert list(outside.iterdir()) == []
    assert not Path("/tmp/canary").exists()
    assert not Path("/canary").exists()
    inside = {"../../../tmp/{}": "/tmp/canary", "/../{}": "/canary", "/etc/{}": "/etc/canary"}
    assert bench.ask(f"cat {inside.get(path, str(outside) + '/canary')}") == "hello\n"


def test_a_key_directory_that_leads_out_of_the_image_writes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    bench = Bench(tmp_path, file_system(tmp_path, links={"root/.ssh": str(outside)}), "raw")
    bench.apply(key=KEY)
    assert list(outside.iterdir()) == []


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, file_system(tmp_path, links={"a": "/b", "b": "/a"}), "raw")
    with pytest.raises(errors.InvalidImage, match="too many links"):
        bench.apply(files=(file("/a/x"),))


@pytest.mark.parametrize("path", ["/", "/etc", '/etc/a"b', "/etc/passwd/x", "/etc/a\nrm /etc/passwd"])
def test_what_cannot_be_written_is_said(tmp_path: Path, path: str) -> None:
    bench = Bench(tmp_path, whole(tmp_path), "raw")
    with pytest.raises(errors.InvalidImage):
        bench.apply(files=(file(path),))
    assert "root" in bench.ask("cat /etc/passwd")


def test_files_need_a_place_and_all_else_does_not(tmp_path: Path) -> None:
    base = tmp_path / "blank"
    base.write_bytes(bytes(MIB))
    bench = Bench(tmp_path, base, "raw")
    bench.apply(key=KEY, admin_password=Secret("x"))
    with pytest.raises(errors.InvalidImage, match="no place for the files"):
        bench.apply(files=(file("/etc/motd"),))


def test_the_operator_chooses_the_partition(tmp_path: Path) -> None:
    bench = Bench(tmp_path, mbr(tmp_path), "raw")
    bench.apply(settings=InjectionSettings(partition=1), files=(file("/etc/motd"),))
    assert bench.ask("cat /etc/motd") == "hello\n"
    with pytest.raises(errors.InvalidImage):
        bench.apply(settings=InjectionSettings(partition=2), files=(file("/etc/motd"),))
    made = DiskCustomiser(InjectionSettings(), qemu_img=QemuImg(RUNNER), runner=RUNNER)
    assert not made.wants(Changes(injection=Injection(files=(file("/x"),), key=KEY)))


@pytest.mark.parametrize("kind", ["ext2", "ext3"])
def test_older_file_systems(tmp_path: Path, kind: str) -> None:
    bench = Bench(tmp_path, file_system(tmp_path, kind=kind), "qcow2")
    bench.apply(fill_disk=True, files=(file("/etc/motd"),))
    assert bench.ask("cat /etc/motd") == "hello\n"


def test_an_open_journal_is_replayed_first(tmp_path: Path) -> None:
    base = whole(tmp_path)
    subprocess.run(["debugfs", "-w", "-R", "feature needs_recovery", str(base)], check=True, capture_output=True)
    bench = Bench(tmp_path, base, "qcow2")
    bench.apply(files=(file("/etc/motd"),))
    assert bench.ask("cat /etc/motd") == "hello\n"


def test_a_damaged_file_system_is_the_images_fault(tmp_path: Path) -> None:
    base = whole(tmp_path)
    with base.open("r+b") as stream:
        stream.seek(2048)
        stream.write(b"\xff" * 200_000)
    bench = Bench(tmp_path, base, "raw")
    with pytest.raises(errors.InvalidImage):
        bench.apply(files=(file("/etc/motd"),))


def test_partitions_that_lead_out_of_the_disk_are_none(tmp_path: Path) -> None:
    entry = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 2048, 2**32 - 1)
    path = tmp_path / "disk"
    path.write_bytes((bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(MIB, b"\0"))
    assert read_table(path).partitions == ()
