# SPDX-License-Identifier: Apache-2.0
"""Images that want to write into their host, or run something there, while files are put into them."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.domain.injection import Injection
from nova.domain.instance import InjectedFile
from nova.secret import Secret
from nova.system.commands import CommandRunner, Completed
from nova.virt.images.customise import Changes, DiskCustomiser
from nova.virt.images.ext_files import ExtFiles
from nova.virt.images.injection import InjectionSettings
from nova.virt.images.qemu_img import QemuImg

KEY = "ssh-ed25519 AAAAC3Nz alice@example"
LINE_BYTES = 8191
"""What debugfs reads as one line; it goes on with the rest as with another one"""
PASSWD = "root:x:0:0:root:/root:/bin/sh\n"


class Watched(CommandRunner):
    """Runs commands, and knows which, and what was written to them."""

    def __init__(self) -> None:
        super().__init__()
        self.programs: set[str] = set()
        self.lines: list[bytes] = []

    def run(self, argv: Any, **options: Any) -> Completed:
        self.programs.add(argv[0])
        self.lines += (options.get("stdin") or b"").split(b"\n")
        return super().run(argv, **options)


def file_system(tree: Path, made: Path, *, size: str = "16M") -> Path:
    """An ext4 file system with what is in *tree*."""
    subprocess.run(
        ["mkfs.ext4", "-q", "-F", "-b", "4096", "-d", str(tree), str(made), size], check=True, capture_output=True
    )
    return made


def disk_with(base: Path, injection: Injection, runner: CommandRunner | None = None) -> Path:
    """The disk of a guest that was given *injection*, made from *base*."""
    disk, runner = base.with_name("disk"), runner or CommandRunner()
    disk.write_bytes(base.read_bytes())
    settings = InjectionSettings(partition=-1, inject_key=True, inject_password=True)
    customiser = DiskCustomiser(settings, qemu_img=QemuImg(runner), runner=runner)
    customiser.apply(disk, "raw", base=base, disk_bytes=disk.stat().st_size, changes=Changes(injection=injection))
    return disk


def inside(disk: Path, path: str) -> bytes:
    return subprocess.run(["debugfs", "-R", f'cat "{path}"', str(disk)], check=True, capture_output=True).stdout


def long_winded(directory: Path, command: str) -> Path:
    """A file system whose ``/root/.ssh`` leads through two links to a path so long that the line of the tool's input
    in which it stands ends before *command*, which begins the next one."""
    first, second = ["a" * 250] * 15, ["b" * 250] * 15
    resolved = "/" + "/".join([*first, *second]) + "/"
    missing = LINE_BYTES - len('cd "') - len(resolved)
    pads = ["c" * 200] * (missing // 201)
    last = "d" * (missing - 201 * len(pads)) + f"!{command};#"
    tree = directory / "tree"
    for name in ("etc", "root"):
        (tree / name).mkdir(parents=True)
    (tree / "etc" / "passwd").write_text(PASSWD)
    made = file_system(tree, directory / "base")
    lines = [f"symlink /root/.ssh /{'/'.join([*first, 'n'])}", "cd /"]
    lines += [line for part in first for line in (f"mkdir {part}", f"cd {part}")]
    lines += [f"symlink n {'/'.join([*second, 'm'])}"]
    lines += [line for part in second for line in (f"mkdir {part}", f"cd {part}")]
    lines += [f'symlink m "{"/".join([*pads, last, "x"])}"']
    tool = ["debugfs", "-w", "-f", "-", str(made)]
    subprocess.run(tool, input="\n".join(lines).encode() + b"\n", check=True, capture_output=True)
    return made


@pytest.mark.parametrize("what", ["key", "file"])
def test_a_path_that_is_longer_than_a_line_runs_nothing_on_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """CVE-2012-3361, OSSN-0100: debugfs takes a line that begins with an exclamation mark for one of the shell's"""
    base = long_winded(tmp_path, "touch PWN")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    runner = Watched()
    injection = Injection(key=KEY) if what == "key" else Injection(files=(given("/root/.ssh/config"),))
    if what == "key":
        disk_with(base, injection, runner)
    else:
        with pytest.raises(errors.InvalidImage):
            disk_with(base, injection, runner)
    assert list((tmp_path / "cwd").iterdir()) == []
    assert [line for line in runner.lines if len(line) > LINE_BYTES - 100 or line.startswith(b"!")] == []


def given(path: str, content: bytes = b"hello\n") -> InjectedFile:
    return InjectedFile(path=path, contents=base64.b64encode(content).decode())


HOSTILE_PATHS = (
    *("../../../tmp/x", "/../x", "/etc/../../../x", "//x", "/./x", "etc/passwd/../x", "/x\n!touch PWN", '/x" "/etc/y'),
    *("/!touch PWN", "!touch PWN", "/x\x00y", "/" + "a" * 255, "/x;touch PWN", "/$(touch PWN)", "/<2>/x", "-x", ""),
)


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_of_files_are_refused_or_stay_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """CVE-2012-3360"""
    tree, host = tmp_path / "tree", tmp_path / "cwd"
    for directory in (tree / "etc", host):
        directory.mkdir(parents=True)
    (tree / "etc" / "passwd").write_text(PASSWD)
    monkeypatch.chdir(host)
    before = {str(each): each.stat().st_mtime_ns for each in tmp_path.rglob("*") if each.name != "disk"}
    base = file_system(tree, tmp_path / "base")
    try:
        disk = disk_with(base, Injection(files=(given(path, b"hostile"),)))
    except errors.InvalidImage:
        disk = None
    else:
        listing = subprocess.run(["debugfs", "-R", "ls -l /", str(disk)], check=True, capture_output=True).stdout
        assert listing
        assert disk.read_bytes().count(b"hostile") >= 1
    after = {str(each): each.stat().st_mtime_ns for each in tmp_path.rglob("*") if each.name not in ("disk", "base")}
    assert after == before
    assert list(host.iterdir()) == []


@pytest.mark.parametrize("place", ["root/.ssh", "etc/shadow", "etc/network", "root", "etc"])
def test_a_link_to_the_host_is_followed_inside_the_image_only(tmp_path: Path, place: str) -> None:
    """CVE-2012-3361, CVE-2012-3447: also where only root could read it"""
    outside, tree = tmp_path / "canary", tmp_path / "tree"
    outside.mkdir(mode=0o700)
    (outside / "shadow").write_text("root:*:1::::::\n")
    (outside / "passwd").write_text(PASSWD)
    before = {path.name: path.read_bytes() for path in outside.iterdir()}
    for name in ("root", "etc"):
        if name != place:
            (tree / name).mkdir(parents=True)
    (tree / place).symlink_to(outside / "shadow" if place == "etc/shadow" else outside)
    if place != "etc":
        (tree / "etc" / "passwd").write_text(PASSWD)
    base = file_system(tree, tmp_path / "base")
    disk_with(base, Injection(key=KEY, admin_password=Secret("pw"), network=b"auto eth0\n"))
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == before


def test_no_program_of_an_image_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OSSN-0100: trojans where a guest has its tools, and what programs were started on the host"""
    tree, marker = tmp_path / "tree", tmp_path / "PWN"
    for name in ("bin/sh", "usr/sbin/chpasswd", "lib64/ld-linux-x86-64.so.2", "usr/bin/openssl", "sbin/resize2fs"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (tree / name).chmod(0o755)
    (tree / "etc").mkdir()
    (tree / "etc" / "passwd").write_text(PASSWD)
    base = file_system(tree, tmp_path / "base")
    runner = Watched()
    monkeypatch.chdir(tree)
    injection = Injection(key=KEY, admin_password=Secret("pw"), files=(given("/etc/motd"),), network=b"auto eth0\n")
    disk = disk_with(base, injection, runner)
    assert inside(disk, "/etc/motd") == b"hello\n"
    assert KEY.encode() in inside(disk, "/root/.ssh/authorized_keys")
    assert inside(disk, "/etc/passwd").startswith(b"root:$6$")
    assert not marker.exists()
    assert runner.programs <= {"debugfs", "e2fsck", "resize2fs", "openssl", "qemu-img", "qemu-io"}
    assert not [line for line in runner.lines if line.startswith(b"!")]


def test_names_inside_an_image_cannot_forge_what_is_read_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2012-3361: a link whose target is several lines long leads nowhere else"""
    tree, host = tmp_path / "tree", tmp_path / "cwd"
    for directory in (tree / "etc", host):
        directory.mkdir(parents=True)
    monkeypatch.chdir(host)
    for number, target in enumerate(('x"\nInode: 2   Type: directory    Mode:  0755\n', "y\n!touch PWN\n", "z" * 300)):
        os.symlink(target, tree / "etc" / f"link{number}")
        runner = Watched()
        base = file_system(tree, tmp_path / f"base{number}")
        files = ExtFiles(base, runner=runner, work=tmp_path)
        with contextlib.suppress(errors.InvalidImage):
            files.write(f"/etc/link{number}", b"content")
        assert not [line for line in runner.lines if line.startswith(b"!")]
    assert list(host.iterdir()) == []
