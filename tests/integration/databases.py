# SPDX-License-Identifier: Apache-2.0
"""Private MariaDB and PostgreSQL servers for tests: own data directory, own port on 127.0.0.1, gone afterwards.

pytest_plugins = ["tests.integration.databases"]

def test_…(mariadb: DatabaseServer): Database(DatabaseSettings(url=mariadb.fresh_url()))
"""

from __future__ import annotations

import abc
import contextlib
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest

POSTGRESQL_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_START_TIMEOUT_S = 60


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DatabaseServer(abc.ABC):
    """One server process.  ``stop`` asks it to end, ``kill`` does not ask; ``start`` brings it back with its data."""

    scheme: str
    user: str

    def __init__(self, directory: Path, command: Sequence[str], *, port: int, as_user: str) -> None:
        self.directory = directory
        self.port = port
        self._command = list(command)
        self._as_user = as_user
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self.password = secrets.token_hex(8)

    def start(self) -> None:
        """Run the server and wait until it answers."""
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                user=self._as_user,
                group=self._as_user,
                cwd=self.directory,
                start_new_session=True,
                extra_groups=[],
            )
        self.wait_until(self.answers)

    def answers(self) -> bool:
        """Whether a statement gets through."""
        try:
            self.execute("SELECT 1")
        except (OSError, pymysql.err.MySQLError, psycopg2.Error):
            return False
        return True

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll *condition* until it holds."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not condition():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.directory / "server.log").read_text(errors="replace")[-4000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server as its operator would."""
        self._end(self.gentle_signal)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    gentle_signal = signal.SIGTERM

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, how) if how is signal.SIGKILL else self._process.send_signal(how)
        self._process.wait(timeout=60)
        self._process = None

    def close(self) -> None:
        """End the server for good and remove its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str, *, password: str | None = None) -> str:
        """The URL of a database on this server."""
        secret = self.password if password is None else password
        return f"{self.scheme}://{self.user}:{secret}@127.0.0.1:{self.port}/{database}"

    def fresh_url(self) -> str:
        """The URL of a new, empty database."""
        name = f"nova_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @abc.abstractmethod
    def execute(self, statement: str) -> list[Any]:
        """Run one statement as the server's administrator."""


class MariaDb(DatabaseServer):
    """A private ``mariadbd``."""

    scheme = "mysql"
    user = "nova"

    @classmethod
    def create(cls) -> MariaDb:
        """A running server with an empty data directory."""
        directory = _directory("mysql")
        data = directory / "data"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-test-db",
             "--auth-root-authentication-method=normal", "--skip-name-resolve"],
            check=True, capture_output=True,
        )  # fmt: skip
        port = free_port()
        options = [
            "--no-defaults", f"--datadir={data}", f"--socket={directory}/s", f"--pid-file={directory}/pid",
            f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=300",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2",
        ]  # fmt: skip
        server = cls(directory, ["mariadbd", *options], port=port, as_user="mysql")
        server.start()
        server.execute(f"CREATE USER 'nova'@'127.0.0.1' IDENTIFIED BY '{server.password}'")
        server.execute("GRANT ALL ON *.* TO 'nova'@'127.0.0.1'")
        return server

    def execute(self, statement: str) -> list[Any]:
        """Run one statement as root, through the socket."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(f"{self.directory}/s")
            connection = pymysql.connect(user="root", autocommit=True, defer_connect=True)
            connection.connect(link)
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())


class PostgreSql(DatabaseServer):
    """A private ``postgres``."""

    scheme = "postgresql"
    user = "nova"
    gentle_signal = signal.SIGINT
    """A fast shutdown: sessions are ended, nothing is waited for"""

    @classmethod
    def create(cls) -> PostgreSql:
        """A running server with an empty data directory."""
        directory = _directory("postgres")
        port = free_port()
        data = directory / "data"
        command = [
            str(POSTGRESQL_PROGRAMS / "postgres"), "-D", str(data), "-p", str(port), "-k", str(directory),
            "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "shared_buffers=32MB",
            "-c", "fsync=off",
        ]  # fmt: skip
        server = cls(directory, command, port=port, as_user="postgres")
        secret = directory / "password"
        secret.write_text(server.password)
        shutil.chown(secret, "postgres")
        subprocess.run(
            [str(POSTGRESQL_PROGRAMS / "initdb"), "-D", str(data), "-U", "nova", "--pwfile", str(secret), "-A",
             "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, user="postgres", group="postgres", extra_groups=[], cwd=directory,
        )  # fmt: skip
        server.start()
        return server

    def execute(self, statement: str) -> list[Any]:
        """Run one statement as the superuser."""
        with contextlib.closing(psycopg2.connect(self.url("postgres"), connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []


def _directory(owner: str) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="nova-db-"))
    shutil.chown(directory, owner, owner)
    return directory


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB server for the whole run; ask it for ``fresh_url()``."""
    server = MariaDb.create()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A PostgreSQL server for the whole run; ask it for ``fresh_url()``."""
    server = PostgreSql.create()
    yield server
    server.close()
