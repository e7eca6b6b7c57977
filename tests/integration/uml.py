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
REGISTERS = Path(__file__).with_name("uml_registers.c")
DISK = "/dev/ubdb"
END = "--- the program ended with "

INIT = """#!/bin/sh
export PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run
export PYTHONDONTWRITEBYTECODE=1 LVM_SYSTEM_DIR=/run/lvm-etc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/lvm-etc /run/kernel/lib /run/bin
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -s /usr/sbin/xtables-legacy-multi /run/bin/$name
done
ln -s {modules} /run/kernel/lib/modules
cat > /run/lvm-etc/lvm.conf <<CONF
activation {{ udev_sync=0 udev_rules=0 }}
devices {{ obtain_device_list_from_udev=0 use_devicesfile=0 }}
CONF
for module in dm-mod {extra}; do modprobe -q -d /run/kernel $module; done
cd {cwd}
{program}
echo "{end}$?"
sync
echo o > /proc/sysrq-trigger
sleep 10
"""


def _registers(directory: Path) -> Path:
    """What lets the kernel run on processors with more registers than it knows of."""
    library = directory / "registers.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(REGISTERS), "-ldl"], check=True)
    return library


def run(
    program: Sequence[str], *, directory: Path, disk_mb: int = 1, needs: Sequence[str] = (), timeout_s: float = 120
) -> tuple[int, str]:
    """Exit code and output of *program*; *directory* takes the disk, and is all that is written on this machine.

    :param needs: of the kernel, to be loaded first
    """
    disk, init = directory / "disk", directory / "init"
    with disk.open("wb") as file:
        file.truncate(disk_mb << 20)
    cwd, words = shlex.quote(os.getcwd()), shlex.join(program)
    init.write_text(INIT.format(modules=MODULES, extra=" ".join(needs), cwd=cwd, program=words, end=END))
    init.chmod(0o755)
    command = [KERNEL, "mem=512M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"]
    command += [f"init={init}", f"ubdb={disk}", "con=null", "con0=null,fd:1", f"uml_dir={directory}"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=os.environ | {"LD_PRELOAD": str(_registers(directory))},
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
