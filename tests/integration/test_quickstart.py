# SPDX-License-Identifier: Apache-2.0
"""./quickstart in a fresh clone of the last commit: a cloud to use, harmless when run again, and gone without a trace.

It has an address of the loopback of its own, so that a quickstart cloud of this checkout is not disturbed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
ADDRESS = "127.0.0.83"
NAME = "nova-quickstart-82"
TGT_SOCKET = "socket.159"
PLACES = (
    "/run",
    "/run/netns",
    "/var/run/tgtd",
    "/tmp",
    "/run/libvirt",
    "/var/lib/libvirt/qemu",
    "/etc/libvirt",
    "/etc/nova",
)
PLACES_OF_USER = ("", ".cache", ".cache/libvirt", ".config", ".ssh")
PORTS = {"identity": 5000, "osapi_compute": 8774}

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]


class Clone:
    """A checkout as a new user has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        self.env |= {"NOVA_QUICKSTART_ADDRESS": ADDRESS}
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(path)], check=True)

    def quickstart(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return self.shell(" ".join(["./quickstart", *words]), timeout_s=600)

    def shell(self, words: str, *, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """What somebody types at a prompt in the checkout."""
        return subprocess.run(
            ["bash", "-c", words],
            cwd=self.path, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip

    def processes(self) -> list[str]:
        """Command lines of living processes that name a place in the clone."""
        return list(self.processes_by_pid().values())

    def processes_by_pid(self) -> dict[int, str]:
        """The same with their numbers."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.path) in line:
                found[int(place.name)] = line
        return found


def outside() -> set[str]:
    """What is in the places where a cloud could leave something; bridges, namespaces, chains, mounts of the machine."""
    found = set()
    for place in [*map(Path, PLACES), *(Path.home() / name for name in PLACES_OF_USER)]:
        if place.is_dir():
            found |= {str(entry) for entry in place.iterdir()}
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    found |= {f"link {name}" for name in re.findall(r"^\d+: ([^:@]+)", links, re.MULTILINE)}
    for program in ("iptables-save", "ip6tables-save", "ebtables-save"):
        rules = subprocess.run([program], capture_output=True, text=True, check=False).stdout
        found |= {f"{program} {line}" for line in rules.splitlines() if line.startswith("-A")}
        found |= {f"{program} chain {line.split()[0]}" for line in rules.splitlines() if line.startswith(":")}
    found |= {f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return found


def of_ours(entry: str, clone: Clone) -> bool:
    """Whether *entry* could be of this cloud; other tests of the machine make and remove things at the same time."""
    return any(word in entry for word in ("quickstart", "br-nova-qs", TGT_SOCKET, "10.77.0.", str(clone.path)))


@pytest.fixture(scope="module")
def before() -> set[str]:
    return outside()


@pytest.fixture(scope="module")
def clone(before: set[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    found = Clone(tmp_path_factory.mktemp("quickstart") / "nova")
    try:
        yield found
    finally:
        found.quickstart("down")


@pytest.fixture(scope="module")
def first(clone: Clone) -> str:
    done = clone.quickstart()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_port_that_is_taken_stops_it_before_anything_is_made(clone: Clone) -> None:
    with socket.create_server((ADDRESS, PORTS["osapi_compute"])):
        done = clone.quickstart()
    assert done.returncode == 1
    assert f"Failed: the osapi_compute API cannot have {ADDRESS}:8774: Address already in use" in done.stderr
    assert "What to do: stop it ('./quickstart down' where it was started)" in done.stderr
    assert not (clone.path / "state").exists()
    assert not Path("/run/netns", NAME).exists()


def test_each_step_is_announced_and_timed(first: str) -> None:
    steps = re.findall(r"^\[ ?(\d+)/13\] .* \(\d+\.\d s\)$", first, re.MULTILINE)
    assert steps == [str(number) for number in range(1, 14)]
    assert re.search(r"uname -a:\n +\| Linux first-server ", first)


def test_what_it_prints_at_the_end_works_for_a_new_user(clone: Clone, first: str) -> None:
    source = next(line.strip() for line in first.splitlines() if "source /" in line)
    for words in ("openstack server list", "nova list"):
        listed = clone.shell(f"{source}; {words}")
        assert listed.returncode == 0, listed.stderr
        assert re.search(r"first-server *\| ACTIVE", listed.stdout)
    console = clone.shell(f"{source}; nova console-log first-server")
    assert "nova-guest: ready" in console.stdout
    ssh = next(line.strip() for line in first.splitlines() if " ssh -i " in line)
    assert clone.shell(f"{ssh} hostname").stdout.strip() == "first-server"


def test_the_ec2_keys_that_it_prints_work(clone: Clone, first: str) -> None:
    source = next(line.strip() for line in first.splitlines() if "source /" in line)
    keys = clone.shell(f"{source}; env -0").stdout.split("\0")
    env = dict(line.split("=", 1) for line in keys if "=" in line)
    program = (
        "import boto3, os; c = boto3.client('ec2', endpoint_url=os.environ['EC2_URL']); "
        "print([i['State']['Name'] for r in c.describe_instances()['Reservations'] for i in r['Instances']])"
    )
    python = CHECKOUT / ".venv" / "bin" / "python"
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", program], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "['running']\n", done.stderr


def test_only_its_owner_reads_the_secrets(clone: Clone, first: str) -> None:
    for name in ("demorc", "adminrc", "demo.pem", "passwords.json", "etc/nova.conf", "etc/rootwrap.conf"):
        assert (clone.path / "state" / name).stat().st_mode & 0o077 == 0, name


def test_a_second_run_changes_nothing(clone: Clone, first: str) -> None:
    processes = sorted(clone.processes())
    again = clone.quickstart()
    assert again.returncode == 0, again.stdout + again.stderr
    assert sorted(clone.processes()) == processes
    took = float(re.search(r"all of it took (\d+) s", again.stdout)[1])  # type: ignore[index]
    assert took < 40
    assert [line for line in again.stdout.splitlines() if "ssh -i" in line] == [
        line for line in first.splitlines() if "ssh -i" in line
    ]


def test_after_a_crash_of_the_machine_it_is_all_brought_back(clone: Clone, first: str) -> None:
    """Everything that runs is killed, guest included, and the network is gone; what is on the disk is left."""
    for pid in subprocess.run(["ip", "netns", "pids", NAME], capture_output=True, text=True, check=True).stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    for pid in clone.processes_by_pid():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", NAME], check=True)
    again = clone.quickstart()
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"uname -a:\n +\| Linux first-server ", again.stdout)


def test_another_address_is_refused_as_long_as_it_is_there(clone: Clone, first: str) -> None:
    done = clone.shell(f"NOVA_QUICKSTART_ADDRESS=127.0.0.84 {shlex.quote(str(clone.path / 'quickstart'))} down")
    assert done.returncode == 1
    assert f"answers on {ADDRESS}" in done.stderr
    assert Path("/run/netns", NAME).exists()


def test_down_leaves_nothing(clone: Clone, first: str, before: set[str]) -> None:
    assert clone.processes()
    assert any(of_ours(entry, clone) for entry in outside() - before), "the cloud is nowhere to be seen"
    done = clone.quickstart("down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Nothing is left of the cloud."
    assert clone.processes() == []
    assert [entry for entry in outside() - before if of_ours(entry, clone)] == []
    assert not (clone.path / "state").exists()
    assert clone.shell("git status --short").stdout == ""
    for port in PORTS.values():
        with socket.socket() as probe:
            assert probe.connect_ex((ADDRESS, port)) != 0
    again = clone.quickstart("down")
    assert (again.returncode, again.stdout.strip()) == (0, "There is no quickstart cloud here.")
