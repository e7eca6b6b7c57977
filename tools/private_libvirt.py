#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A libvirtd of one's own, beside and apart from the machine's: for tests, benchmarks and ``quickstart``.

    python tools/private_libvirt.py start DIR [--netns NAME]     prints the URI
    python tools/private_libvirt.py stop DIR

libvirtd and virtlogd run in a mount namespace (and in the network namespace NAME, if one is given) where the places
that libvirt writes to are directories below DIR.  The socket is in DIR, so programs outside connect by the URI.  Both
processes, and the QEMU processes that they start, are children of one holder process, whose pid is in DIR/pid together
with its start time: ``stop`` finds it again whoever started it, and stops exactly those processes.
Only the standard library is used.  Needs root, libvirt-daemon, qemu-system-x86 and util-linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

PRIVATE = {
    "run-libvirt": "/run/libvirt",
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
}
"""Directories below DIR, and where they are mounted."""

QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
"""
LIBVIRTD_CONF = """\
host_uuid = "{host_uuid}"
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
"""
LISTENING = """\
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
listen_addr = "{address}"
"""
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0


class LibvirtError(Exception):
    """It did not start, with the end of its log."""


def start(
    netns: str | None,
    directory: Path | str,
    *,
    containers: bool = False,
    listen: str = "",
    hostname: str = "",
) -> str:
    """Start (or find running) the libvirtd of *directory*; its URI.

    :param netns: a named network namespace for libvirtd and its guests; None is this process's own
    :param containers: whether it is to run containers (``lxc:///system`` at the same socket), which need control groups
    :param listen: an address at which it takes connections of other hosts, without authentication: for tests only
    :param hostname: the name of the host that it is on; empty is the machine's
    :raises LibvirtError: it does not answer
    """
    home = Path(directory).resolve()
    if _holder(home) is None:
        _prepare(home, listen)
        _launch(netns, home, containers=containers, hostname=hostname)
    return uri(home)


def uri(directory: Path | str) -> str:
    """How to connect to it."""
    return f"qemu:///system?socket={Path(directory).resolve()}/run-libvirt/libvirt-sock"


def stop(directory: Path | str) -> None:
    """End libvirtd, virtlogd and all guests of theirs; whatever of it is there, by whomever it was started."""
    home = Path(directory).resolve()
    holder = _holder(home)
    if holder is not None:
        below = list(_below(holder))
        _end([holder])
        _end(below)
    for name in ("pid", "run-libvirt"):
        _remove(home / name)


def _prepare(home: Path, listen: str = "") -> None:
    for name in PRIVATE:
        (home / name).mkdir(parents=True, exist_ok=True)
        (home / name).chmod(0o700)
    _remove(home / "run-libvirt")
    (home / "run-libvirt").mkdir()
    (home / "run-libvirt").chmod(0o711)  # root in a container is somebody else outside, and opens its terminal in here
    (home / "etc/qemu.conf").write_text(QEMU_CONF)
    host_uuid = home / "etc/host_uuid"
    if not host_uuid.exists():
        host_uuid.write_text(str(uuid.uuid4()))
    tcp = LISTENING.format(address=listen) if listen else ""
    (home / "etc/libvirtd.conf").write_text(LIBVIRTD_CONF.format(host_uuid=host_uuid.read_text()) + tcp)
    (home / "listens").unlink(missing_ok=True)
    if listen:
        (home / "listens").touch()
    (home / "etc/virtlogd.conf").touch()


def _launch(netns: str | None, home: Path, *, containers: bool, hostname: str) -> None:
    """Start the holder in its namespaces, on its own, and wait until libvirtd listens."""
    enter = ["ip", "netns", "exec", netns] if netns else []
    unshare = ["unshare", "--mount", "--propagation", "private", *(["--uts"] if hostname else [])]
    hold_it = [
        sys.executable,
        str(Path(__file__).resolve()),
        "hold",
        str(home),
        "--hostname",
        hostname,
        *(["--containers"] if containers else []),
    ]
    with (home / "holder.log").open("wb") as log:
        argv = ["setsid", "--fork", *enter, *unshare, *hold_it]
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(home):
        if time.monotonic() > deadline:
            stop(home)
            raise LibvirtError(f"libvirtd did not start: {(home / 'holder.log').read_text()[-2000:]}")
        time.sleep(0.05)


def _answers(home: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(home / "run-libvirt/libvirt-sock"))
        return True
    return False


def hold(home: Path, *, containers: bool, hostname: str) -> int:
    """The holder: mounts, starts the two daemons, adopts the guests, and ends with libvirtd."""
    if hostname:
        socket.sethostname(hostname)
    _adopt_orphans()
    _write_pid(home)
    for name, place in PRIVATE.items():
        Path(place).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(home / name), place], check=True)
    if containers:
        _mount_control_groups()
    signal.signal(signal.SIGTERM, _leave)
    try:
        listening = ["--listen"] if (home / "listens").exists() else []
        _keep_running(_command("virtlogd"), [*_command("libvirtd"), *listening])
    except SystemExit:
        _end(list(_below(os.getpid())))
        _collect()
    return 0


def _mount_control_groups() -> None:
    """Have the control groups of the machine in this namespace: of version 1 alone, where it has both.

    A network namespace comes with a /sys of its own, in which there are none.
    """
    place = Path("/sys/fs/cgroup")
    lines = [line.split(":") for line in Path("/proc/self/cgroup").read_text().splitlines()]
    old = [controllers for number, controllers, _ in lines if number != "0"]
    if not old:
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", str(place)], check=False)
        return
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], check=True)
    for controllers in old:
        target = place / controllers.removeprefix("name=")
        target.mkdir()
        subprocess.run(["mount", "-t", "cgroup", "-o", controllers, "cgroup", str(target)], check=True)


def _collect() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _command(daemon: str) -> list[str]:
    """A daemon that ends with the holder, and whose pid file is not the one that the machine's own daemon locks."""
    return ["setpriv", "--pdeathsig", "TERM", daemon, "--pid-file", f"/run/libvirt/private-{daemon}.pid"]


def _leave(number: int, frame: object) -> None:
    sys.exit(0)


def _keep_running(*commands: list[str]) -> None:
    """Start the daemons, start again one that was killed, and collect the ends of guests."""
    running = {subprocess.Popen(command, stdin=subprocess.DEVNULL).pid: command for command in commands}
    while True:
        pid, _status = os.wait()
        command = running.pop(pid, None)
        if command is not None:
            running[subprocess.Popen(command, stdin=subprocess.DEVNULL).pid] = command
            time.sleep(0.2)


def _adopt_orphans() -> None:
    """Become the parent of every process below whose own parent ends (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _write_pid(home: Path) -> None:
    (home / "pid").write_text(f"{os.getpid()} {_started(os.getpid())}")


def _holder(home: Path) -> int | None:
    """The pid of the holder, if that very process still runs."""
    try:
        pid, started = map(int, (home / "pid").read_text().split())
    except (OSError, ValueError):
        return None
    return pid if _started(pid) == started else None


def _started(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None when it is no more (proc(5), field 22 of stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _below(pid: int) -> Iterator[int]:
    """All processes below *pid*, parents first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _end(pids: list[int]) -> None:
    """SIGTERM, and SIGKILL for those that stay."""
    running = {pid: _started(pid) for pid in pids}
    for number, seconds in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while running and time.monotonic() < deadline:
            running = {pid: started for pid, started in running.items() if started and _started(pid) == started}
            time.sleep(0.02)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="A private libvirtd.")
    parser.add_argument("command", choices=("start", "stop", "hold"))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--netns", default=None)
    parser.add_argument("--containers", action="store_true")
    parser.add_argument("--hostname", default="")
    options = parser.parse_args()
    if options.command == "hold":
        return hold(options.directory, containers=options.containers, hostname=options.hostname)
    if options.command == "stop":
        stop(options.directory)
        return 0
    try:
        print(start(options.netns, options.directory, containers=options.containers))
    except LibvirtError as exc:
        print(f"private_libvirt: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
