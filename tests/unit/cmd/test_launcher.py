# SPDX-License-Identifier: Apache-2.0
"""A program as its operator sees it: signals, pid file, background, inherited sockets, workers."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova.cmd.launcher import run, stop_all
from tests.unit.cmd.served_process import Served, wait_for

Start = Callable[..., Served]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Served] = []

    def begin(*arguments: str, **keywords: object) -> Served:
        served = Served(*arguments, **keywords)  # type: ignore[arg-type]
        started.append(served)
        return served

    yield begin
    for served in started:
        served.stop()


def alive(pid: int) -> bool:
    """Whether *pid* is a process that runs (and is not waiting to be buried)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def request_slowly(served: Served, answers: list[bytes]) -> threading.Thread:
    """Have a request running in the server."""
    thread = threading.Thread(target=lambda: answers.append(served.get("/slow")))
    thread.start()
    wait_for(lambda: "slow" in served.lines)
    return thread


def test_a_running_request_is_finished_before_the_end(start: Start) -> None:
    served, answers = start(), []
    thread = request_slowly(served, answers)
    served.send(signal.SIGTERM)
    thread.join(10)
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert served.finish() == 0


def test_an_idle_connection_does_not_delay_the_end(start: Start) -> None:
    served = start("--grace", "30")
    with served.connect() as connection:
        assert served.get("/")
        served.send(signal.SIGTERM)
        assert connection.recv(1) == b""
        assert served.finish() == 0


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    served, answers = start(), []
    thread = request_slowly(served, answers)
    served.send(signal.SIGTERM)
    wait_for(lambda: "stopping" in served.log)
    served.send(signal.SIGTERM)
    assert served.finish() == 128 + signal.SIGTERM
    thread.join(10)
    assert answers == [b""]


def test_sighup_reloads_and_goes_on(start: Start) -> None:
    served = start()
    assert served.get("/")
    served.send(signal.SIGHUP)
    wait_for(lambda: "reloaded" in served.lines)
    assert served.get("/").startswith(b"HTTP/1.1 200")


def test_its_name_is_shown_by_ps(start: Start) -> None:
    served = start()
    assert served.get("/")
    assert Path(f"/proc/{served.process.pid}/comm").read_text() == "nova-served\n"


def test_a_pid_file_admits_one_process(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    served = start("--pidfile", str(path))
    assert served.get("/")
    assert int(path.read_text()) == served.process.pid
    second = start("--pidfile", str(path))
    assert second.finish() == 1
    assert second.process.stderr is not None
    assert f"process {served.process.pid} holds {path}" in second.process.stderr.read()
    served.send(signal.SIGTERM)
    assert served.finish() == 0
    assert not path.exists()


def test_it_goes_to_the_background_when_asked(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    served = start("--daemonize", "--pidfile", str(path))
    assert served.finish() == 0
    wait_for(lambda: path.exists() and path.read_text())
    pid = int(path.read_text())
    try:
        assert served.pid_of_worker() == pid
        assert os.getsid(pid) not in (pid, os.getsid(0))
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not alive(pid))


def test_a_port_that_is_taken_is_said_with_the_option_to_change(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        served = start("--port", str(port))
        assert served.finish() == 1
        assert served.process.stderr is not None
        message = served.process.stderr.read()
    assert f"127.0.0.1:{port} is in use" in message
    assert "echo_listen_port" in message


def test_an_inherited_socket_is_used_in_place_of_an_own(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        served = start(given=given)
        assert served.port == given.getsockname()[1]
        assert served.get("/").startswith(b"HTTP/1.1 200")


def test_workers_share_the_socket_and_dead_ones_are_replaced(start: Start) -> None:
    served = start("--workers", "2")
    wait_for(lambda: served.log.count("listens on") == 2)
    seen: set[int] = set()
    wait_for(lambda: seen.add(served.pid_of_worker()) or len(seen) == 2)
    assert served.process.pid not in seen
    victim = seen.pop()
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: served.log.count("listens on") == 3)
    assert f"worker {victim} has died (signal SIGKILL)" in served.log
    assert served.get("/").startswith(b"HTTP/1.1 200")
    served.send(signal.SIGTERM)
    assert served.finish() == 0
    assert not any(alive(pid) for pid in seen)


def test_workers_finish_what_they_do_when_the_parent_is_told_to_stop(start: Start) -> None:
    served, answers = start("--workers", "2"), []
    thread = request_slowly(served, answers)
    served.send(signal.SIGTERM)
    thread.join(10)
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert served.finish() == 0


def test_a_signal_to_a_worker_that_was_just_born_is_not_taken_for_one_to_the_parent(start: Start) -> None:
    served = start("--workers", "1", "--told-to-end-at-birth")
    wait_for(lambda: "has died (signal SIGTERM) and is replaced" in served.log)
    assert served.get("/").startswith(b"HTTP/1.1 200")
    served.send(signal.SIGTERM)
    assert served.finish() == 0


def test_sighup_reaches_parent_and_workers(start: Start) -> None:
    served = start("--workers", "2")
    wait_for(lambda: served.log.count("listens on") == 2)
    served.send(signal.SIGHUP)
    wait_for(lambda: served.lines.count("reloaded") == 3)


def test_workers_end_when_their_parent_was_killed(start: Start) -> None:
    served = start("--workers", "2")
    wait_for(lambda: served.log.count("listens on") == 2)
    seen: set[int] = set()
    wait_for(lambda: seen.add(served.pid_of_worker()) or len(seen) == 2)
    served.send(signal.SIGKILL)
    wait_for(lambda: not any(alive(pid) for pid in seen))


class Recorded:
    """A service that writes down what happens to it."""

    def __init__(self, name: str, events: list[str], *, fails: bool = False) -> None:
        self.name = name
        self._events = events
        self._fails = fails

    def start(self) -> None:
        if self._fails:
            raise OSError(f"{self.name} cannot start")
        self._events.append(f"{self.name} starts")

    def stop(self, grace_s: float) -> None:
        self._events.append(f"{self.name} stops")
        if self._fails:
            raise OSError(f"{self.name} cannot stop")


def test_services_before_one_that_cannot_start_are_stopped() -> None:
    events: list[str] = []
    with pytest.raises(OSError, match="b cannot start"):
        run([Recorded("a", events), Recorded("b", events, fails=True), Recorded("c", events)], grace_s=1)
    assert events == ["a starts", "a stops"]


class Waiting(Recorded):
    """A service that is told to end while it waits for something at its start."""

    released = threading.Event()

    def start(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        self.released.wait(10)


def test_a_signal_while_a_service_starts_does_not_wait_for_it() -> None:
    events: list[str] = []
    try:
        run([Recorded("a", events), Waiting("b", events), Recorded("c", events)], grace_s=1)
        assert events == ["a starts", "a stops"]
    finally:
        Waiting.released.set()
    wait_for(lambda: not any(thread.name == "start" for thread in threading.enumerate()))
    assert events == ["a starts", "a stops"]


def test_a_service_that_cannot_stop_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []
    stop_all([Recorded("a", events, fails=True), Recorded("b", events)], grace_s=1)
    assert sorted(events) == ["a stops", "b stops"]
    assert "a did not stop cleanly" in caplog.text
