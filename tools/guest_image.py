#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build the small bootable guest of the tests and of ``quickstart`` from the distribution's own packages.

    python tools/guest_image.py --output DIR

DIR then holds ``kernel`` and ``initramfs`` (the fast way to boot, and the parts of a three-part image) and
``disk.qcow2`` (the same two behind a boot loader, on a disk with one partition).  Needs neither root nor a loop device.
What is in DIR already is kept when it was made from the same files.  Needs the packages busybox-static dropbear-bin
grub-pc-bin grub-common e2fsprogs kmod qemu-utils; the kernel is taken from /boot, or fetched by apt into a cache.
Only the standard library is used, so that it runs before anything is installed with pip.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECTOR = 512
PARTITION_START = 2048
KERNEL_PACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual")
MODULES = (
    *("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "virtio_balloon", "virtio_scsi", "acpiphp", "button"),
    *(
        "evdev",
        "ext4",
        "isofs",
        "vfat",
        "nls_cp437",
        "nls_ascii",
        "nls_utf8",
        "ipv6",
        "sr_mod",
        "sd_mod",
        "ata_piix",
        "ahci",
    ),
)
PROGRAMS = {
    "busybox": "busybox-static",
    "dropbear": "dropbear-bin",
    "dropbearkey": "dropbear-bin",
    "grub-mkimage": "grub-common",
    "mkfs.ext4": "e2fsprogs",
    "modprobe": "kmod",
    "depmod": "kmod",
    "qemu-img": "qemu-utils",
}
BOOT_SECTOR = Path("/usr/lib/grub/i386-pc/boot.img")

GRUB_CFG = """\
linux /boot/vmlinuz console=tty0 console=ttyS0 quiet panic=10
initrd /boot/initrd
boot
"""

FILES = {
    "etc/passwd": "root::0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/shells": "/bin/sh\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\n",
    "etc/hostname": "guest\n",
    "etc/inittab": (
        "::sysinit:/etc/boot.sh\n"
        "ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100\n"
        "::ctrlaltdel:/sbin/reboot\n"
        "::shutdown:/bin/umount -a -r\n"
    ),
}
SCRIPTS = {
    "etc/acpi/PWRF/00000080": "#!/bin/sh\necho 'nova-guest: power button' >/dev/console\npoweroff\n",
    "etc/udhcpc.sh": (
        "#!/bin/sh\n"
        '[ "$1" = bound ] || [ "$1" = renew ] || exit 0\n'
        'ip addr flush dev "$interface"\n'
        'ip addr add "$ip/$mask" dev "$interface"\n'
        '[ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"\n'
        '[ -n "$router" ] && ip route add default via "${router%% *}" dev "$interface" 2>/dev/null\n'
        'for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done\n'
        "exit 0\n"
    ),
}

Say = Callable[[str], None]


class BuildError(Exception):
    """Something is missing, with what to do about it."""


@dataclass(frozen=True)
class GuestImage:
    """The finished files."""

    kernel: Path
    initramfs: Path
    disk: Path


@dataclass(frozen=True)
class Kernel:
    """A kernel image with the root below which its modules are."""

    image: Path
    version: str
    root: Path


def default_cache() -> Path:
    """Where downloaded kernels and finished images are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nova" / "guest-image"


def build(output: Path | None = None, *, cache: Path | None = None, say: Say = lambda line: None) -> GuestImage:
    """The guest's files in *output* (or in the cache), built if they are not there; at most some ten seconds."""
    cache = cache or default_cache()
    output = output or cache / "image"
    output.mkdir(parents=True, exist_ok=True)
    _check_programs()
    kernel = find_kernel(cache, say=say)
    image = GuestImage(output / "kernel", output / "initramfs", output / "disk.qcow2")
    key = _content_key(kernel)
    stamp = output / "key"
    if stamp.is_file() and stamp.read_text() == key and all(path.is_file() for path in vars(image).values()):
        say(f"up to date: {output}")
        return image
    with tempfile.TemporaryDirectory(prefix="nova-guest-", dir=output) as scratch:
        _build(Path(scratch), kernel, image, say)
    stamp.write_text(key)
    say(f"done: {image.kernel}, {image.initramfs}, {image.disk}")
    return image


def _build(scratch: Path, kernel: Kernel, image: GuestImage, say: Say) -> None:
    say("initramfs: modules, busybox, dropbear")
    initramfs = scratch / "initramfs"
    initramfs.write_bytes(gzip.compress(archive(_tree(kernel)), compresslevel=6, mtime=0))
    say(f"disk: boot loader, kernel and {initramfs.stat().st_size // 1024} KiB of initramfs")
    raw = _make_disk(scratch, kernel.image, initramfs)
    _run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", str(raw), str(scratch / "disk.qcow2"))
    shutil.copy(kernel.image, scratch / "kernel")
    for path in vars(image).values():
        os.replace(scratch / path.name, path)


def _check_programs() -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None}
    if not BOOT_SECTOR.is_file():
        missing.add("grub-pc-bin")
    if missing:
        raise BuildError(f"missing packages; run: apt-get install {' '.join(sorted(missing))}")


def find_kernel(cache: Path | None = None, *, say: Say = lambda line: None) -> Kernel:
    """The kernel of guests, fetched into the cache where none is there."""
    cache = cache or default_cache()
    for root in (Path("/"), cache / "kernel"):
        found = _kernel_below(root)
        if found:
            return found
    _fetch_kernel(cache, say)
    found = _kernel_below(cache / "kernel")
    if found is None:
        raise BuildError(f"no kernel for guests; run: apt-get install {KERNEL_PACKAGES[0]}")
    return found


def _kernel_below(root: Path) -> Kernel | None:
    for image in sorted((root / "boot").glob("vmlinuz-*"), reverse=True):
        version = image.name.removeprefix("vmlinuz-")
        modules = next((base for base in (root, root / "usr") if (base / "lib/modules" / version).is_dir()), None)
        if modules and os.access(image, os.R_OK) and (modules / "lib/modules" / version / "modules.dep").is_file():
            return Kernel(image, version, modules)
    return None


def _fetch_kernel(cache: Path, say: Say) -> None:
    """Unpack the distribution's kernel for virtual machines below the cache; nothing is installed."""
    packages = next(filter(None, map(_real_packages, KERNEL_PACKAGES)), None)
    if packages is None:
        raise BuildError("apt knows no kernel package for virtual machines; run: apt-get update")
    target = cache / "kernel"
    with tempfile.TemporaryDirectory(prefix="deb-", dir=_made(cache)) as scratch:
        say(f"kernel: apt-get download {' '.join(packages)}")
        _run("apt-get", "download", "-q", "-o", "APT::Sandbox::User=", *packages, cwd=Path(scratch))
        for package in Path(scratch).glob("*.deb"):
            _run("dpkg-deb", "-x", str(package), str(target))
    for modules in target.glob("**/lib/modules/*"):
        _run("depmod", "-b", str(modules.parents[2]), modules.name)


def _real_packages(package: str) -> list[str]:
    """The packages with the files: what the named package depends on, image and modules."""
    shown = subprocess.run(["apt-cache", "depends", package], capture_output=True, text=True, check=False).stdout
    images = re.findall(r"Depends: (linux-image-[0-9][^\s]*)", shown)[:1]
    if not images:
        return []
    needs = subprocess.run(["apt-cache", "depends", images[0]], capture_output=True, text=True, check=False).stdout
    return images + re.findall(r"Depends: (linux-modules-[0-9][^\s]*)", needs)[:1]


def _content_key(kernel: Kernel) -> str:
    digest = hashlib.sha256(kernel.version.encode())
    for path in (Path(__file__), HERE / "guest_init.sh", Path(_which("busybox")), Path(_which("dropbear"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Entry:
    """One file of the initramfs."""

    mode: int
    data: bytes = b""


def _tree(kernel: Kernel) -> dict[str, Entry]:
    """Everything in the initramfs by its path."""
    tree = {name: Entry(stat.S_IFREG | 0o644, text.encode()) for name, text in FILES.items()}
    tree |= {name: Entry(stat.S_IFREG | 0o755, text.encode()) for name, text in SCRIPTS.items()}
    tree["etc/boot.sh"] = Entry(stat.S_IFREG | 0o755, (HERE / "guest_init.sh").read_bytes())
    _add_busybox(tree)
    for program in ("dropbear", "dropbearkey"):
        _add_program(tree, program)
    _add_modules(tree, kernel)
    tree["init"] = Entry(stat.S_IFLNK | 0o777, b"/sbin/init")
    tree["dev/console"] = Entry(stat.S_IFCHR | 0o600)
    for name in ("proc", "sys", "dev", "run", "tmp", "mnt", "state", "root", "var/log"):
        tree[name] = Entry(stat.S_IFDIR | 0o755)
    return tree


def _add_busybox(tree: dict[str, Entry]) -> None:
    tree["bin/busybox"] = Entry(stat.S_IFREG | 0o755, Path(_which("busybox")).read_bytes())
    names = subprocess.run(
        [_which("busybox"), "--list-full"], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in names:
        if name != "bin/busybox":
            tree.setdefault(name, Entry(stat.S_IFLNK | 0o777, b"/bin/busybox"))


def _add_program(tree: dict[str, Entry], program: str) -> None:
    path = _which(program)
    shown = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"(/[^\s]+\.so[^\s]*)", shown)
    nss = next(iter(Path("/lib").glob("*/libnss_files.so.2")), None)
    tree[f"usr/sbin/{program}"] = Entry(stat.S_IFREG | 0o755, Path(path).read_bytes())
    for library in [*libraries, *([str(nss)] if nss else [])]:
        tree[library.lstrip("/")] = Entry(stat.S_IFREG | 0o755, Path(library).read_bytes())


def _add_modules(tree: dict[str, Entry], kernel: Kernel) -> None:
    lines: dict[str, None] = {}
    for name in MODULES:
        argv = ["modprobe", "-d", str(kernel.root), "-S", kernel.version, "--show-depends", name]
        shown = subprocess.run(argv, capture_output=True, text=True, check=False, env=_environment()).stdout
        for path in re.findall(r"^insmod (\S+)", shown, re.MULTILINE):
            lines.setdefault(path)
    for path in lines:
        tree[f"lib/{Path(path).name}"] = Entry(stat.S_IFREG | 0o644, Path(path).read_bytes())
    script = "".join(f"insmod /lib/{Path(path).name}\n" for path in lines)
    tree["lib/modules.sh"] = Entry(stat.S_IFREG | 0o644, script.encode())


def archive(tree: dict[str, Entry]) -> bytes:
    """The tree as a cpio archive of the "newc" kind (Linux Documentation/driver-api/early-userspace/buffer-format)."""
    parents = {str(parent) for name in tree for parent in Path(name).parents if str(parent) != "."}
    full = {name: Entry(stat.S_IFDIR | 0o755) for name in parents} | tree
    records = [_record(name, entry, number) for number, (name, entry) in enumerate(sorted(full.items()), start=1)]
    return b"".join([*records, _record("TRAILER!!!", Entry(0), 0)])


def _record(name: str, entry: Entry, number: int) -> bytes:
    device = (5, 1) if stat.S_ISCHR(entry.mode) else (0, 0)
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08x" % value for value in fields) + name.encode() + b"\0"
    return _padded(header) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _make_disk(scratch: Path, kernel: Path, initramfs: Path) -> Path:
    """A disk with GRUB in front of one ext4 partition, put together as grub-install would."""
    boot = _made(scratch / "tree/boot/grub").parent
    shutil.copy(kernel, boot / "vmlinuz")
    shutil.copy(initramfs, boot / "initrd")
    (boot / "grub/grub.cfg").write_text(GRUB_CFG)
    payload_mb = (kernel.stat().st_size + initramfs.stat().st_size) // 1024**2
    part = scratch / "part"
    options = ["-q", "-F", "-b", "1024", "-O", "^has_journal", "-m", "0", "-d", str(scratch / "tree")]
    _run("mkfs.ext4", *options, str(part), f"{payload_mb + 12}M")
    core = scratch / "core"
    prefix = "(hd0,msdos1)/boot/grub"
    modules = ["biosdisk", "part_msdos", "ext2", "normal", "linux"]
    _run("grub-mkimage", "-O", "i386-pc", "-o", str(core), "-p", prefix, *modules)
    return _assemble(scratch / "disk.raw", core.read_bytes(), part)


def _assemble(disk: Path, core: bytes, part: Path) -> Path:
    sectors = part.stat().st_size // SECTOR
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", PARTITION_START, sectors)
    mbr = BOOT_SECTOR.read_bytes()[:440].ljust(446, b"\0") + entry + b"\0" * 48 + b"\x55\xaa"
    with disk.open("wb") as stream:
        stream.write(mbr)
        stream.write(core)
        stream.seek(PARTITION_START * SECTOR)
        stream.write(part.read_bytes())
    return disk


def _which(program: str) -> str:
    found = shutil.which(program, path=_environment()["PATH"])
    if found is None:
        raise BuildError(f"missing program {program}; run: apt-get install {PROGRAMS.get(program, program)}")
    return found


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


def _run(*argv: str, cwd: Path | None = None) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd, env=_environment())
    if done.returncode:
        raise BuildError(f"{' '.join(argv[:3])} failed: {done.stderr.strip()[-500:]}")


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the test guest's kernel, initramfs and disk.")
    parser.add_argument("--output", type=Path, required=True, help="directory for the three files")
    parser.add_argument("--cache", type=Path, default=None, help=f"for downloads (default {default_cache()})")
    options = parser.parse_args()
    try:
        build(options.output, cache=options.cache, say=print)
    except BuildError as exc:
        print(f"guest_image: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
