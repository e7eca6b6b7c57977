# SPDX-License-Identifier: Apache-2.0
"""MariaDB over TLS: encrypted wherever the server offers it, and in the clear where it does not."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import text

from nova.db.engine import Database, DatabaseSettings
from tests.integration.databases import MariaDb, mariadb
from tests.integration.netns import run

__all__ = ["mariadb"]

pytestmark = pytest.mark.root


def cipher(server: MariaDb, options: str = "") -> str:
    """What a connection of ours is encrypted with."""
    database = Database(DatabaseSettings(url=server.fresh_url() + options))
    try:
        question = text("SHOW STATUS LIKE 'Ssl_cipher'")
        return str(database.run(lambda tx: tx.connection.execute(question).one()[1], write=False))
    finally:
        database.dispose()


def test_a_server_without_a_certificate_is_used_in_the_clear(mariadb: MariaDb) -> None:
    assert cipher(mariadb) == ""


def test_a_server_with_a_certificate_is_used_over_tls() -> None:
    server = MariaDb.create()
    try:
        server.stop()
        key, certificate = str(server.directory / "key.pem"), str(server.directory / "cert.pem")
        subject = ("-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject)
        for path in (key, certificate):
            shutil.chown(path, "mysql")
        server._command += [f"--ssl-key={key}", f"--ssl-cert={certificate}"]
        server.start()
        assert cipher(server).startswith("TLS_")
        assert cipher(server, f"?ssl_ca={certificate}").startswith("TLS_")
    finally:
        server.close()
