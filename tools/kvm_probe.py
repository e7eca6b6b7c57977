#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Say whether KVM really runs a Linux kernel here: prints ``kvm`` or ``qemu``, the value for ``libvirt_type``.

    python tools/kvm_probe.py [--kernel FILE]

That /dev/kvm opens and a virtual processor can be made proves little (nested virtualisation may crawl), so a real
kernel is booted without a disk: it panics for want of a root and QEMU exits with 0, or it has not come so far in eight
seconds, when plain emulation would be faster.  The answer holds, and is kept, until the machine boots again.
Only the standard library is used.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 8
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def probe(kernel: Path | None = None, *, cache: Path | None = None) -> str:
    """``kvm`` or ``qemu``.

    :param kernel: any Linux kernel; None is the newest in /boot, and without one the answer is ``qemu``
    :param cache: the file that keeps the answer
    """
    cache = cache or default_cache()
    boot_id = BOOT_ID.read_text().strip()
    known = _read(cache)
    if known and known[0] == boot_id:
        return known[1]
    kernel = kernel or _newest_kernel()
    if kernel is None and os.path.exists("/dev/kvm"):
        return "qemu"
    answer = "kvm" if kernel is not None and _boots(kernel) else "qemu"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(f"{boot_id} {answer}\n")
    return answer


def default_cache() -> Path:
    """Where the answer is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nova" / "kvm-probe"


def _read(cache: Path) -> tuple[str, str] | None:
    try:
        boot_id, answer = cache.read_text().split()
    except (OSError, ValueError):
        return None
    return (boot_id, answer) if answer in ("kvm", "qemu") else None


def _newest_kernel() -> Path | None:
    readable = (path for path in Path("/boot").glob("vmlinuz-*") if os.access(path, os.R_OK))
    return max(readable, key=lambda path: path.stat().st_mtime, default=None)


def _boots(kernel: Path) -> bool:
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    machine = ["-accel", "kvm", "-m", "128", "-nodefaults", "-display", "none", "-no-reboot"]
    try:
        done = subprocess.run(
            [qemu, *machine, "-kernel", str(kernel), "-append", "panic=-1"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Say whether KVM really works: kvm or qemu.")
    parser.add_argument("--kernel", type=Path, default=None)
    print(probe(parser.parse_args().kernel))
    return 0


if __name__ == "__main__":
    sys.exit(main())
