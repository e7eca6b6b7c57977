# SPDX-License-Identifier: Apache-2.0
"""The programs as an operator meets them: real processes from a nova.conf, in a network namespace.

They have the fake driver, SQLite and the memory transport: no hypervisor, database server or broker.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.netns import inside, run
from tests.integration.program import Home, Program, free_port, runs, wait_until

STARTED = "nova-compute on host test-host has started."


@pytest.fixture(scope="module", autouse=True)
def namespace() -> Iterator[None]:
    """Bridges and firewall rules of the daemons must not be the machine's."""
    name = f"nvprog{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        with inside(name):
            yield
    finally:
        run("ip", "netns", "delete", name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code < 500
    except requests.RequestException:
        return False


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_all_daemons_in_one_process_answer_and_end_in_time(home: Home) -> None:
    with Program(home, home.argv("nova-all")) as program:
        program.wait_until(lambda: answers(home.port) and answers(home.other_port), "answers of both APIs")
        listed = home.run("nova-manage", "service", "list").stdout
        for daemon in ("nova-scheduler", "nova-conductor", "nova-network", "nova-volume", "nova-compute"):
            line = next(line for line in listed.splitlines() if line.startswith(daemon))
            assert ":-)" in line
            assert "test-host" in line
        assert program.end(within_s=5) == 0
        assert "Traceback" not in program.said()
        assert not answers(home.port)


def test_sockets_of_the_parent_are_used_and_no_others(home: Home) -> None:
    ports = {"osapi_compute": free_port(), "identity": free_port()}
    given = [f"{api}=127.0.0.1:{port}" for api, port in ports.items()]
    argv = [sys.executable, "-m", "tools.quickstart.activate", *given, "--", *home.argv("nova-all")]
    with Program(home, argv) as program:
        program.wait_until(lambda: all(answers(port) for port in ports.values()), "answers on the inherited sockets")
        assert not answers(home.port)
        assert program.end(within_s=5) == 0


def test_sighup_reads_the_log_options_anew_and_keeps_serving(home: Home) -> None:
    with Program(home, home.argv("nova-all")) as program:
        program.wait_said(STARTED)
        program.wait_until(lambda: answers(home.port), "an answer")
        text = home.config.read_text()
        log = home.path / "other.log"
        home.config.write_text(text.replace("[DEFAULT]", f"[DEFAULT]\nlog_file = {log}", 1))
        program.process.send_signal(signal.SIGHUP)
        program.wait_until(
            lambda: answers(home.port) and log.exists() and "GET /" in log.read_text(), "lines in the new log"
        )
        home.config.write_text(text + "\n[libvirt]\nvirt_type = nonsense\n")
        program.process.send_signal(signal.SIGHUP)
        program.wait_until(lambda: "the old values stay" in log.read_text(), "the refusal of a wrong file")
        assert answers(home.port)
        assert program.end(within_s=5) == 0


def test_in_the_background_with_a_pid_file_that_a_second_one_respects(home: Home) -> None:
    pidfile, log = home.path / "all.pid", home.path / "background.log"
    words = ("--daemonize", "--pidfile", str(pidfile), "--log-file", str(log))
    started = home.run("nova-all", *words)
    assert started.returncode == 0, started.stderr
    wait_until(lambda: pidfile.exists() and pidfile.read_text().strip(), "the pid file")
    pid = int(pidfile.read_text())
    try:
        wait_until(lambda: answers(home.port), "an answer from the background")
        second = home.run("nova-all", *words)
        assert second.returncode == 1
        assert second.stderr == f"nova-all: pidfile: process {pid} holds {pidfile}; it runs already.\n"
        assert answers(home.port)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not runs(pid), "its end", timeout_s=6)
        assert not pidfile.exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("program", ["nova-all", "nova-api"])
def test_a_port_that_is_taken_is_named_in_one_line(program: str, home: Home) -> None:
    with socket.create_server(("127.0.0.1", home.port)):
        done = home.run(program)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"{program}: osapi_compute: 127.0.0.1:{home.port} is in use. Stop the program that listens there, "
        "or change osapi_compute_listen_port."
    )
    assert "Traceback" not in done.stderr


def test_a_worker_that_is_killed_is_replaced_while_the_other_serves(tmp_path: Path) -> None:
    home = Home(tmp_path, more="osapi_compute_workers = 2\ntransport_url = amqp://u:p@127.0.0.1:1/\n")
    with Program(home, home.argv("nova-api")) as program:
        program.wait_until(lambda: answers(home.port), "an answer")
        first = program.wait_until(lambda: len(found := children(program.process.pid)) == 2 and found, "two workers")
        assert first
        os.kill(first[0], signal.SIGKILL)

        def replaced() -> bool:
            now = children(program.process.pid)
            return len(now) == 2 and first[0] not in now and first[1] in now

        program.wait_until(replaced, "a new worker")
        wait_until(lambda: answers(home.port), "an answer afterwards")
        workers = children(program.process.pid)
        assert program.end(within_s=7) == 0
        assert not [pid for pid in workers if runs(pid)]


@pytest.mark.parametrize("program", ["nova-all", "nova-api", "nova-compute", "nova-manage"])
def test_a_wrong_value_is_one_line_with_file_and_line(program: str, home: Home) -> None:
    lines = home.config.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.startswith("osapi_compute_listen_port"))
    lines[number - 1] = "osapi_compute_listen_port = many"
    home.config.write_text("\n".join(lines) + "\n")
    done = home.run(program, *(["service", "list"] if program == "nova-manage" else []))
    assert done.returncode == 1
    who = "error" if program == "nova-manage" else program
    assert done.stderr == (
        f"{who}: {home.config}:{number}: osapi_compute_listen_port = 'many' is not valid: a port number is expected.\n"
    )


def test_a_daemon_on_a_database_without_tables_says_what_to_run(tmp_path: Path) -> None:
    home = Home(tmp_path, synced=False)
    done = home.run("nova-all")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("nova-all: The ")
    assert done.stderr.endswith("has no tables: run 'nova-manage db sync'.\n")
    assert "Traceback" not in done.stderr


def test_a_daemon_gives_up_a_database_that_is_away_after_as_many_tries_as_the_options_say(home: Home) -> None:
    away = f"--database-connection=mysql://u:s3cret@127.0.0.1:{free_port()}/nova"
    done = home.run("nova-scheduler", away, "--database-max_retries=2", "--database-retry_interval=1")
    assert done.returncode == 1
    assert done.stderr.count("Trying again in 1 s.") == 2
    assert done.stderr.splitlines()[-1].startswith("nova-scheduler: ")
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr


@pytest.fixture
def waiting(home: Home) -> Iterator[Program]:
    argv = home.argv("nova-scheduler", f"--transport_url=amqp://u:s3cret@127.0.0.1:{free_port()}/")
    with Program(home, argv) as program:
        yield program


def test_a_daemon_whose_broker_is_away_waits_and_can_be_ended(waiting: Program) -> None:
    waiting.wait_said("127.0.0.1")
    waiting.wait_said("rying again", times=2)
    assert waiting.process.poll() is None
    assert waiting.end(within_s=20) == 0
    assert "s3cret" not in waiting.said()
    assert "Traceback" not in waiting.said()
