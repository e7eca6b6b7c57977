# SPDX-License-Identifier: Apache-2.0
"""A cloud as in production: each daemon a process of its own, on RabbitMQ and a database server, in one namespace.

Everything lives in a network namespace that the cloud makes; the main thread of the tests is in it as long as the cloud
is there, so its clients and database connections need no detour.  nova-compute has a configuration without a database,
and shares no directory with the controller but that of the lock files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from nova.db.engine import Database
from nova.db.settings import DatabaseSettings
from tests.integration.databases import DatabaseServer
from tests.integration.netns import inside, run
from tests.integration.production_files import APIS, BINARIES, BRIDGE, FIXED_RANGE, Files
from tests.integration.rabbitmq import RabbitMQ
from tools import private_libvirt

T = TypeVar("T")
CONTROLLER, COMPUTE = "controller", "compute1"
CONTROLLER_DAEMONS = ("nova-scheduler", "nova-conductor", "nova-network", "nova-volume")
ADMIN_PASSWORD = "rather secret"
STARTED = "has started."
STEP_TIMEOUT_S = 60.0


def wait_until(condition: Callable[[], T], what: str, *, timeout_s: float = STEP_TIMEOUT_S) -> T:
    """The first true answer of *condition*."""
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.1)
    return answer


class DaemonProcess:
    """One daemon: started, killed and started again as often as wanted; its log goes on in one file."""

    def __init__(self, name: str, argv: list[str], *, log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._begins_at = 0

    def start(self, *options: str) -> None:
        """Start it; *options* are added to its command line this time."""
        with self.log.open("ab") as log:
            self._begins_at = log.tell()
            self._process = subprocess.Popen(
                [*self._argv, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def said(self) -> str:
        """What it logged since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._begins_at)
            return log.read().decode(errors="replace")

    def serves(self) -> bool:
        """Whether it has said that it serves; fails when it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} has ended: {self.said()[-3000:]}"
        return STARTED in self.said()

    def kill(self) -> None:
        """End it, and the worker processes that it may have, as a power cut would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask_to_stop(self) -> None:
        """As an operator would."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> int:
        """Wait for its end after :meth:`ask_to_stop`; its exit status, 0 where it did not run."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            self.kill()


class ProductionCloud:
    """The whole; a context manager."""

    def __init__(
        self,
        database: Callable[[], DatabaseServer],
        *,
        driver: str = "libvirt",
        computes: tuple[str, ...] = (COMPUTE,),
        api_workers: int = 0,
        grace_s: int = 5,
        instances_mb: int = 0,
        shared_images: bool = False,
        more: str = "",
    ) -> None:
        """
        :param database: makes the database server
        :param driver: ``compute_driver`` of the hosts
        :param computes: names of the compute hosts
        :param grace_s: how long recovery waits for a silent daemon
        :param instances_mb: the size of a file system of its own for servers' disks; 0 is none
        :param more: lines at the end of each nova.conf
        :param shared_images: whether compute hosts see the directory of images, and need no HTTP and no token
        """
        self.namespace = f"nvprod{os.getpid()}"
        self.address = "127.0.0.1"
        """Where broker and storage are reached"""
        self.daemons: dict[str, DaemonProcess] = {}
        self.computes = computes
        self._make_database = database
        self._driver = driver
        self._values: dict[str, object] = {"api_workers": api_workers, "grace_s": grace_s}
        self._instances_mb = instances_mb
        self._shared_images = shared_images
        self._more = more
        self._closing = contextlib.ExitStack()
        self._left: list[str] = []
        self._tgt_port = 1000 + os.getpid() % 60000

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.show_logs()
            self._closing.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for daemon in self.daemons.values():
            daemon.ask_to_stop()
        try:
            statuses = {name: daemon.stop() for name, daemon in self.daemons.items()}
        finally:
            self._closing.close()
        if kind is None:
            assert set(statuses.values()) == {0}, statuses
            self._assert_gone()

    def _assert_gone(self) -> None:
        assert not self._left, f"still running: {self._left}"
        assert not Path("/run/netns", self.namespace).exists()
        assert not self.files.home.exists()
        assert not list(Path("/var/run/tgtd").glob(f"socket.{self._tgt_port}*"))

    # Making it.

    def _start(self) -> None:
        self.files = Files(home=Path(tempfile.mkdtemp(prefix="nvp-")))
        self._closing.callback(shutil.rmtree, self.files.home, ignore_errors=True)
        self.files.prepare()
        self._make_namespace()
        self._start_neighbours()
        self._configure()
        self._start_daemons()
        self.manage("network", "create", "private", FIXED_RANGE, "1", "256", "--bridge", BRIDGE)

    def _make_namespace(self) -> None:
        run("ip", "netns", "add", self.namespace)
        self._closing.callback(self._remove_namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        self._closing.enter_context(inside(self.namespace))

    def _remove_namespace(self) -> None:
        """All have ended but dnsmasq, which outlives its daemon on purpose; what else is still there is a mistake."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self._strays(), "the end of all processes", timeout_s=5)
        self._left = self._strays()
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run("ip", "netns", "del", self.namespace)

    def _strays(self) -> list[str]:
        lines = [command_line(pid) for pid in self.pids()]
        return [line for line in lines if line and "dnsmasq" not in line.split()[0]]

    def _start_neighbours(self) -> None:
        directory = self.files.home / "rabbitmq"
        directory.mkdir()
        self.broker = RabbitMQ(directory, address=self.address)
        self._closing.callback(self.broker.kill)
        self.broker.start()
        self.database = self._make_database()
        self._closing.callback(self.database.close)
        self.database_url = self.database.fresh_url()
        self.uri = ""
        self._mount_disks()
        self._start_hypervisors()
        self._start_tgtd()

    def _start_hypervisors(self) -> None:
        if self._driver == "libvirt":
            self.uri = private_libvirt.start(self.namespace, self.files.home / "libvirt")
            self._closing.callback(private_libvirt.stop, self.files.home / "libvirt")

    def _mount_disks(self) -> None:
        """Before libvirtd starts, which keeps to the mounts that it found."""
        if self._instances_mb:
            place = self.files.state(COMPUTE) / "instances"
            place.mkdir(parents=True)
            run("mount", "-t", "tmpfs", "-o", f"size={self._instances_mb}m,mode=711", "nova-test", str(place))
            self._closing.callback(run, "umount", str(place))

    def _start_tgtd(self) -> None:
        place = Path("/var/run/tgtd")
        place.mkdir(exist_ok=True)
        words = ["tgtd", "-f", "-C", str(self._tgt_port), "--iscsi", f"portal={self.address}:3260"]
        with self.files.log("tgtd").open("wb") as log:
            process = subprocess.Popen(self.words(*words), stdout=log, stderr=log)

        def end() -> None:
            process.kill()  # it does not end by itself while targets are there
            process.wait()
            for path in place.glob(f"socket.{self._tgt_port}*"):
                path.unlink()

        self._closing.callback(end)
        wait_until((place / f"socket.{self._tgt_port}").exists, "start of tgtd")

    def _configure(self) -> None:
        broker = self.broker.url
        self.files.write_controller(
            CONTROLLER, broker=broker, database=self.database_url, tgt_port=self._tgt_port, **self._values
        )
        images = self.files.state(CONTROLLER) / "images" if self._shared_images else None
        self._configure_computes(broker, images)
        for host in (CONTROLLER, *self.computes):
            with self.files.config(host).open("a") as config:
                config.write(self._more)
        self.manage("db", "sync")
        self.manage("identity", "bootstrap", stdin=f"{ADMIN_PASSWORD}\n")
        self.db = Database(DatabaseSettings(url=self.database_url))
        self._closing.callback(self.db.dispose)

    def _configure_computes(self, broker: str, images: Path | None) -> None:
        for host in self.computes:
            self.files.write_compute(host, driver=self._driver, uri=self.uri, broker=broker, images=images)

    def _start_daemons(self) -> None:
        self._add("nova-api", "nova-api", CONTROLLER)
        for name in CONTROLLER_DAEMONS:
            self._add(name, name, CONTROLLER)
        for host in self.computes:
            self._add("nova-compute" if host == COMPUTE else f"nova-compute-{host}", "nova-compute", host)
        for daemon in self.daemons.values():
            daemon.start()
            self._closing.callback(daemon.kill)
        for name in self.daemons:
            self.wait_started(name)

    def _add(self, name: str, program: str, host: str, *options: str) -> None:
        argv = self.words(str(BINARIES / program), "--config-file", str(self.files.config(host)), *options, host=host)
        self.daemons[name] = DaemonProcess(name, argv, log=self.files.log(name))

    def words(self, *argv: str, host: str = CONTROLLER) -> list[str]:
        """A command line that runs *argv* as on a host of the cloud, with its own view of devices too."""
        return ["ip", "netns", "exec", self.namespace_of(host), *argv]

    def namespace_of(self, host: str) -> str:
        """The network namespace of a host: the one of all."""
        return self.namespace

    # What its operator does.

    def manage(self, *words: str, stdin: str = "") -> str:
        """nova-manage."""
        argv = self.words(str(BINARIES / "nova-manage"), "--config-file", str(self.files.config(CONTROLLER)), *words)
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"nova-manage {words}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def one_more(self, name: str, program: str, *, host: str) -> Iterator[None]:
        """While there is one more daemon of the controller's kind, on a host of its own."""
        self._add(name, program, CONTROLLER, f"--host={host}")
        self.restart(name)
        try:
            yield
        finally:
            self.daemons[name].ask_to_stop()
            assert self.daemons.pop(name).stop() == 0

    def kill(self, name: str) -> None:
        """End a daemon with SIGKILL."""
        self.daemons[name].kill()

    def restart(self, name: str, *options: str) -> None:
        """Kill a daemon if it runs, and start it with *options*; returns when it serves."""
        self.daemons[name].kill()
        self.daemons[name].start(*options)
        self.wait_started(name)

    def wait_started(self, name: str) -> None:
        """Until the daemon serves."""
        serves = self.daemons[name].serves
        wait_until(self._apis_answer if name == "nova-api" else serves, f"start of {name}")

    def _apis_answer(self) -> bool:
        self.daemons["nova-api"].serves()
        try:
            return all(requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code < 500 for port in APIS.values())
        except requests.RequestException:
            return False

    def pids(self) -> list[int]:
        """The processes of the cloud, its neighbours among them; not ourselves."""
        found = run("ip", "netns", "pids", self.namespace, check=False)
        return [int(word) for word in found.split() if int(word) != os.getpid()]

    def show_logs(self) -> None:
        """Print the ends of all logs, where pytest shows them with a failure."""
        for path in sorted((self.files.home / "log").glob("*.log")):
            print(f"----- {path.name}\n{path.read_text(errors='replace')[-3000:]}")

    # What its users see.

    def environment(self) -> dict[str, str]:
        """The variables that the client programs want."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
            "OS_AUTH_URL": f"http://127.0.0.1:{APIS['identity']}/v3",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": "admin",
            "OS_PASSWORD": ADMIN_PASSWORD,
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "PYTHONWARNINGS": "ignore",
        }

    def client(self, program: str, *words: str) -> str:
        """What a client program (``openstack``, ``nova``) prints."""
        done = subprocess.run(
            [str(BINARIES / program), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{program} {words}: {done.stdout}{done.stderr}"
        return done.stdout


def command_line(pid: int) -> str:
    """What a process was started as; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def shown_on_failure(cloud: ProductionCloud) -> Iterator[Any]:
    """Within the block, an error prints the daemons' logs."""
    try:
        yield
    except BaseException:
        cloud.show_logs()
        raise
