# SPDX-License-Identifier: Apache-2.0
"""Secrets that only we know are sent through every door; afterwards they are in no log, table, journal or message.

The log is looked at before the formatters' own masking, so that nothing depends on this second net.
"""

from __future__ import annotations

import base64
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paste.deploy import loadapp

from nova import errors
from nova.api.cloud import deploying
from nova.api.faults import fault_of
from nova.context import RequestContext
from nova.db.engine import Database, DatabaseSettings
from nova.identity.bootstrap import FirstUser, bootstrap
from nova.identity.builtin import BuiltinIdentity
from nova.interfaces.scheduler import Scheduler
from nova.masking import mask_argv, mask_text
from nova.rpc import settings as rpc_settings
from nova.rpc.client import client_for
from nova.rpc.connecting import connect
from nova.rpc.transport import Message
from nova.secret import Secret
from nova.telemetry.output import LineFormatter, LogSettings
from tests.functional.cloud import SmallCloud, cheap_hasher, password_auth
from tests.functional.volume_cloud import PASTE, VolumeCloud

CANARY = "c4n4ry"
PASSWORD, ADMIN_PASS, NEW_PASSWORD = f"{CANARY}-login", f"{CANARY}-adminpass", f"{CANARY}-changed"


class Lines(logging.Handler):
    """Every record at any level, with its traceback, unmasked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self._formatter.format(record))

    def with_any(self, *secrets: str) -> list[str]:
        return [line for line in self.texts if any(secret in line for secret in secrets)]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


class KnownCloud(VolumeCloud):
    """All daemons, the built-in identity service with one user, and a note of every message."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.messages: list[Message] = []
        identity = BuiltinIdentity(self.db, hasher=cheap_hasher())
        (self.user,) = bootstrap(
            self.db,
            hasher=cheap_hasher(),
            wanted=(FirstUser(name="alice", password=Secret(PASSWORD), project="apples", role="member"),),
        )
        self.api = replace(self.api, identity=identity, settings=replace(self.api.settings, auth_strategy="builtin"))
        with deploying(self.api):
            names = ("osapi_volume", "osapi_compute", "identity")
            self.apps = {name: loadapp(f"config:{PASTE}", name=name) for name in names}

    def transport(self) -> Any:
        transport = super().transport()
        publish = transport.publish

        def note(message: Message, *, within_s: float) -> None:
            self.messages.append(message)
            publish(message, within_s=within_s)

        transport.publish = note  # type: ignore[method-assign]
        return transport

    def identity(self, method: str, path: str, body: Any, **headers: str) -> Any:
        apps = self.apps
        self.apps = {"osapi_volume": apps["identity"], "osapi_compute": apps["osapi_compute"]}
        try:
            return self.call(method, path, body, who="", headers=headers)
        finally:
            self.apps = apps


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[KnownCloud]:
    made = KnownCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("h1")
    yield made
    made.close()


def dumped(directory: Path) -> str:
    """All tables as SQL text."""
    connection = sqlite3.connect(directory / "nova.sqlite")
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def pass_through(cloud: KnownCloud) -> str:
    """A client's day; the token it was done with."""
    login = cloud.identity("POST", "/v3/auth/tokens", password_auth("alice", password=PASSWORD))
    token = str(login.headers["X-Subject-Token"])
    server = {
        "name": "web",
        "flavorRef": "small",
        "imageRef": "22222222-2222-4222-8222-222222222222",
        "adminPass": ADMIN_PASS,
        "user_data": base64.b64encode(b"#!/bin/sh").decode(),
        "metadata": {"k": "v"},
    }
    made = cloud.ok("POST", "/v2.1/servers", {"server": server}, status=202, who=token)["server"]["id"]
    cloud.settled(made)
    for action in ({"reboot": {"type": "HARD"}}, {"os-stop": None}):
        assert cloud.call("POST", f"/v2.1/servers/{made}/action", action, who=token).status_int == 202
        cloud.settled(made)
    key = cloud.ok("POST", "/v2.1/os-keypairs", {"keypair": {"name": "mine"}}, who=token)["keypair"]
    assert "PRIVATE KEY" in key["private_key"]
    assert cloud.call("GET", "/v2.1/servers/detail", who=token).status_int == 200
    assert cloud.call("POST", "/v2.1/servers", {"server": {**server, "flavorRef": 7}}, who=token).status_int == 400
    assert cloud.call("DELETE", f"/v2.1/servers/{made}", who=token).status_int == 204
    cloud.settled(made)
    body = {"user": {"original_password": PASSWORD, "password": NEW_PASSWORD}}
    changed = cloud.identity("POST", f"/v3/users/{cloud.user.id}/password", body, **{"X-Auth-Token": token})
    assert changed.status_int == 204, changed.text
    return token


def test_a_days_work_leaves_no_secret_anywhere(cloud: KnownCloud, lines: Lines, tmp_path: Path) -> None:
    """CVE-2014-4615, LP 956777, LP 916167, OSSN-0023, OSSN-0024, OSSN-0049, OSSN-0098, CVE-2015-8749"""
    token = pass_through(cloud)
    secrets = (token, CANARY, "PRIVATE KEY")
    assert len(lines.texts) > 20
    assert lines.with_any(*secrets) == []
    tables = dumped(tmp_path)
    assert "INSERT INTO" in tables
    assert not [secret for secret in secrets if secret in tables]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "nova.sqlite" not in path.name]
    assert not [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]
    bodies = [(message.address.topic, bytes(message.body)) for message in cloud.messages]
    assert len(bodies) > 10
    for secret in (PASSWORD, NEW_PASSWORD, "PRIVATE KEY"):
        assert not [topic for topic, body in bodies if secret.encode() in body], secret
    for needed in (token, ADMIN_PASS):
        carriers = {topic for topic, body in bodies if needed.encode() in body}
        assert carriers <= {"conductor", "compute"}, carriers


def test_a_crash_logs_neither_headers_nor_body(cloud: KnownCloud, lines: Lines) -> None:
    """CVE-2017-2592, CVE-2022-0718"""
    login = cloud.identity("POST", "/v3/auth/tokens", password_auth("alice", password=PASSWORD))
    token = login.headers["X-Subject-Token"]

    def crash(*_arguments: object, **_words: object) -> None:
        raise RuntimeError("a defect")

    cloud.api.images.get = crash  # type: ignore[method-assign]
    for password in (f"{CANARY}\"b'c", f"{CANARY}\\", f"{CANARY}}},", f"{CANARY} $(x)"):
        server = {"name": "w", "flavorRef": "small", "imageRef": "22222222-2222-4222-8222-222222222222"}
        body = {"server": {**server, "adminPass": password}}
        assert cloud.call("POST", "/v2.1/servers", body, who=token).status_int == 500
    assert len([line for line in lines.texts if "RuntimeError: a defect" in line]) == 4
    assert lines.with_any(token, CANARY) == []


def test_tokens_and_passwords_at_the_identity_door_are_not_logged(lines: Lines) -> None:
    """OSSN-0023, CVE-2013-2006, CVE-2013-0247"""
    cloud = SmallCloud()
    token = cloud.token("alice")
    other = cloud.token("alice")
    for path in (f"/v2.0/tokens/{other}", f"/v2.0/tokens/{other}?token={token}", "/v3/auth/tokens"):
        for method in ("GET", "HEAD", "DELETE"):
            cloud.call(method, path, token=token, headers={"X-Subject-Token": other})
    cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice", password=CANARY))
    cloud.call("POST", "/v3/auth/tokens", body=password_auth(CANARY * 100, password=CANARY))
    assert lines.with_any(token, other, "alice-pw") == []
    assert not [line for line in lines.with_any(CANARY) if len(line) > 300]


@pytest.mark.parametrize(
    "url", [f"mysql://nova:{CANARY}@127.0.0.1:1/n", f"postgresql://nova:{CANARY}%40x@127.0.0.1:1/n"]
)
def test_a_database_that_is_away_is_named_without_its_password(lines: Lines, url: str) -> None:
    """CVE-2015-3646"""
    settings = DatabaseSettings(url=url, max_retries=1, retry_interval_s=0)
    db = Database(settings)
    with pytest.raises(errors.Unavailable) as caught:
        db.connect()
    with pytest.raises(errors.Unavailable) as later, db.transaction():
        pass
    shown = f"{settings!r} {db.place} {caught.value} {later.value} {fault_of(later.value)} {caught.value.data}"
    assert CANARY not in shown
    assert lines.texts
    assert lines.with_any(CANARY) == []


def test_a_broker_that_is_away_is_named_without_its_password(lines: Lines) -> None:
    """CVE-2015-3646, CVE-2013-6491"""
    settings = rpc_settings.from_url(f"amqp://nova:{CANARY}@127.0.0.1:1//", max_retries=1, retry_interval_s=0.01)
    transport = connect(settings)
    try:
        with pytest.raises(errors.Unavailable) as caught:
            client_for(Scheduler, transport, publish_timeout_s=0.5).select_volume_host(
                RequestContext(), size_gb=1, availability_zone=""
            )
    finally:
        transport.close()
    assert CANARY not in f"{settings!r} {settings.brokers} {caught.value} {caught.value.data}"
    assert lines.with_any(CANARY) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"adminPass": "%s"}',
        "{'auth_password': '%s'}",
        "admin_password=%s",
        "--password %s",
        "--os-password=%s",
        "mysql://u:%s@h/n",
        "amqp://u:%s@a,u:%s@b/",
        "X-Auth-Token: %s",
        "X-Subject-Token:%s",
        '{"secret": "%s\\" tail"}',
        "<adminPass>%s</adminPass>",
        "password='a b %s'",
        "'node.session.auth.password', '%s'",
    ],
)
def test_the_second_net_knows_many_spellings(text: str) -> None:
    """CVE-2014-7231, CVE-2014-7230, CVE-2022-0718"""
    filled = text.replace("%s", CANARY)
    assert CANARY not in mask_text(filled) or CANARY not in mask_argv(filled.split())


def test_the_formatters_mask_what_slipped_through() -> None:
    """CVE-2014-7231"""
    record = logging.LogRecord("x", logging.INFO, "", 0, 'body {"adminPass": "%s"}\nFAKE line', (CANARY,), None)
    line = LineFormatter(LogSettings()).format(record)
    assert CANARY not in line
    assert "\n" not in line


def test_a_secret_does_not_show_itself() -> None:
    """CVE-2014-7231"""
    secret = Secret(CANARY)
    shown = f"{secret} {secret!r} {[secret]} { ({'a': secret}) }"
    assert CANARY not in shown
