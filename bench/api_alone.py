# SPDX-License-Identifier: Apache-2.0
"""A nova-api of its own, on any database and without other daemons, and a client that costs next to nothing."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.timing import poll
from nova.db import migration
from nova.db.engine import Database, DatabaseSettings
from tests.integration.rabbitmq import free_port

PROGRAMS = Path(sys.executable).parent
PROJECT = "bench"

_CONF = """\
[DEFAULT]
state_path = {home}
transport_url = memory://
auth_strategy = noauth
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}

[database]
connection = {url}

[oslo_concurrency]
lock_path = {home}/lock
"""


class Caller:
    """One connection to the compute API that is kept open."""

    def __init__(self, port: int, *, token: str, project: str = PROJECT) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        self._base = f"/v2.1/{project}"

    def get(self, path: str) -> bytes:
        """The body of an answer with status 200."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of an answer that is no error."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, self._base + path, body=content, headers=self._headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:300]!r}")
        return read


@contextmanager
def api_alone(url: str = "") -> Iterator[tuple[Database, Caller]]:
    """The database with all tables, and a caller of a nova-api that serves it; *url* empty is SQLite."""
    with tempfile.TemporaryDirectory(prefix="nova-bench-") as directory:
        home = Path(directory)
        url = url or f"sqlite:///{home}/nova.sqlite"
        db = Database(DatabaseSettings(url=url))
        migration.sync(db)
        port = free_port()
        conf = home / "nova.conf"
        conf.write_text(_CONF.format(home=home, port=port, url=url))
        conf.chmod(0o600)
        with (home / "api.log").open("wb") as log:
            argv = [str(PROGRAMS / "nova-api"), "--config-file", str(conf)]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            poll(lambda: answers(port) or _ended(process, home / "api.log"), timeout_s=30)
            yield db, Caller(port, token=f"admin:{PROJECT}")
        finally:
            process.terminate()
            process.wait()
            db.dispose()


def _ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    """False while it runs; RuntimeError with its last words when it does not."""
    if process.poll() is not None:
        raise RuntimeError(f"nova-api has ended: {log.read_text()[-1000:]}")
    return False


def answers(port: int) -> bool:
    """Whether an API gives an answer on *port*."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
