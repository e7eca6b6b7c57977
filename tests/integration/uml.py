# SPDX-License-Identifier: Apache-2.0
"""One program under a Linux kernel of its own (User Mode Linux), with a disk of its own, for what this machine lacks.

The machine's file system is its root, read-only; ``/run`` is empty, ``/dev`` is the kernel's own.
Nothing stays when it ends.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

KERNEL = "/usr/bin/linux.uml"
MODULES = "/usr/lib/uml/modules"
DISK = "/dev/ubdb"
END = "--- the program ended with "

INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run PYTHONDONTWRITEBYTECODE=1 LVM_SYSTEM_DIR=/run/lvm-etc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/lvm-etc /run/kernel/lib
ln -s {modules} /run/kernel/lib/modules
cat > /run/lvm-etc/lvm.conf <<CONF
activation {{ udev_sync=0 udev_rules=0 }}
devices {{ obtain_device_list_from_udev=0 use_devicesfile=0 }}
CONF
modprobe -d /run/kernel dm-mod
cd {cwd}
{program}
echo "{end}$?"
sync
echo o > /proc/sysrq-trigger
sleep 10
"""


def run(program: Sequence[str], *, directory: Path, disk_mb: int, timeout_s: float = 120) -> tuple[int, str]:
    """Exit code and output of *program*; *directory* takes the disk, and is all that is written on this machine."""
    disk, init = directory / "disk", directory / "init"
    with disk.open("wb") as file:
        file.truncate(disk_mb << 20)
    init.write_text(INIT.format(modules=MODULES, cwd=shlex.quote(os.getcwd()), program=shlex.join(program), end=END))
    init.chmod(0o755)
    command = [KERNEL, "mem=512M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"]
    command += [f"init={init}", f"ubdb={disk}", "con=null", "con0=null,fd:1", f"uml_dir={directory}"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        output = process.communicate(timeout=timeout_s)[0].decode(errors="replace").replace("\r\n", "\n")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    before, found, code = output.rpartition(END)
    assert found, f"the program did not come to its end:\n{output[-4000:]}"
    return int(code.split()[0]), before
