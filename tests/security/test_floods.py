# SPDX-License-Identifier: Apache-2.0
"""Much of the same, or at the same time: what is kept stays small, and nobody gets what is another's."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from webob import Request

from nova.identity.builtin import IdentitySettings
from nova.identity.lockout import LockoutSettings
from nova.secret import Secret, same_secret
from tests.functional.cloud import SmallCloud, new_database, password_auth, token_auth
from tests.functional.ec2_cloud import Ec2Cloud

MIB = 1024 * 1024


class Size(logging.Handler):
    """How much is logged, in characters."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.written = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.written += len(record.getMessage())


@contextlib.contextmanager
def logged() -> Iterator[Size]:
    handler, root = Size(), logging.getLogger()
    level, others = root.level, root.handlers[:]
    root.handlers = [handler]
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.handlers = others
        root.setLevel(level)


def test_bad_logins_without_end_fill_neither_log_nor_memory() -> None:
    """CVE-2013-0247: 200 bytes for each at most, whatever is sent, so that ten thousand are two megabytes"""
    cloud, count = SmallCloud(), 1500

    def flood(start: int, count: int) -> None:
        for number in range(start, start + count):
            name = f"{number}-" + "n" * 4000
            body = password_auth(name[: 255 if number % 2 else 4000], password="x" * 4000)
            assert cloud.call("POST", "/v3/auth/tokens", body=body).status_int in (400, 401)

    with logged() as size:
        flood(0, 300)
        size.written = 0
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        flood(300, count)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert 0 < size.written < 200 * count, size.written / count
    assert grown < MIB
    assert cloud.call("POST", "/v3/auth/tokens", body=password_auth("bob"), headers={}).status_int in (201, 401)


def test_another_source_logs_in_during_a_flood() -> None:
    """CVE-2013-0247: who floods locks himself out, and nobody else"""
    cloud = SmallCloud(identity=IdentitySettings(lockout=LockoutSettings(source_attempts=20)))
    for number in range(30):
        cloud.call("POST", "/v3/auth/tokens", body=password_auth(f"user{number}", password="guess"))
    assert cloud.call("POST", "/v3/auth/tokens", body=password_auth("bob")).status_int == 401
    elsewhere = Request.blank("/v3/auth/tokens", method="POST", json_body=password_auth("alice"))
    elsewhere.remote_addr = "203.0.113.77"
    assert elsewhere.get_response(cloud.identity_api).status_int == 201


def test_tokens_without_end_cost_as_much_as_the_first(tmp_path: Path) -> None:
    """OSSN-0062, OSSN-0034: neither many tokens nor many revoked ones slow a validation down"""
    cloud = SmallCloud(db=new_database(f"sqlite:///{tmp_path / 'nova.sqlite'}"))
    token = Secret(cloud.token("alice"))
    caller = cloud.identity.validate(token)

    def validation_s() -> float:
        def once() -> float:
            started = time.thread_time()
            cloud.identity.validate(token)
            return time.thread_time() - started

        return statistics.median(once() for _ in range(60))

    first = validation_s()
    for number in range(600):
        made = cloud.identity.token_for(caller).value
        if number % 2:
            cloud.identity.revoke(made)
    assert validation_s() < first * 2 + 0.001


def test_readers_that_hang_up_leave_nothing_open(tmp_path: Path) -> None:
    """CVE-2016-0737, CVE-2016-0738"""
    cloud = SmallCloud(store=tmp_path / "store")
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=bytes(4 * MIB))
    gc.collect()
    before, started = descriptors(), threading.active_count()
    for _ in range(100):
        request = Request.blank(f"/v2/images/{image_id}/file", headers={"X-Auth-Token": token})
        _, _, chunks = request.call_application(cloud.image_api)
        assert len(next(iter(chunks))) > 10_000
        chunks.close()
    assert descriptors() == before
    assert threading.active_count() == started


def descriptors() -> int:
    """Open files of this process below no particular place."""
    return len(os.listdir("/proc/self/fd"))


def test_requests_at_once_never_mix_their_callers(tmp_path: Path) -> None:
    """CVE-2014-0105"""
    cloud = SmallCloud(db=new_database(f"sqlite:///{tmp_path / 'nova.sqlite'}"), store=tmp_path / "store")
    for name in ("alice", "bob"):
        cloud.new_image(cloud.token(name), name=name)
    wrong: list[str] = []

    def ask(name: str, token: str) -> None:
        project = {"alice": "apples", "bob": "pears"}[name]
        for _ in range(40):
            shown = cloud.call("GET", "/v3/auth/tokens", token=token, headers={"X-Subject-Token": token}).json["token"]
            projects = cloud.call("GET", "/v3/auth/projects", token=token).json["projects"]
            images = cloud.image("GET", "/v2/images", token=token).json["images"]
            seen = (shown["user"]["name"], [each["name"] for each in projects], [each["name"] for each in images])
            if seen != (name, [project], [name]):
                wrong.append(f"{name} saw {seen}")

    threads = [threading.Thread(target=ask, args=(name, cloud.token(name))) for name in ("alice", "bob") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    cloud.db.dispose()


def test_a_wrong_signature_takes_the_same_time_wherever_it_is_wrong() -> None:
    """CVE-2014-0006, CVE-2014-3517: the first byte or the last, and a key that nobody has"""
    cloud = Ec2Cloud()
    signed = cloud.signed("DescribeRegions")
    right = signed["Signature"]
    assert right[0] not in "AB"
    first, last = "A" + right[1:], right[:-2] + ("A" if right[-2] != "A" else "B") + "="

    def times(signature: str) -> Callable[[], float]:
        def once() -> float:
            started = time.perf_counter_ns()
            assert not same_secret(right, signature)
            return time.perf_counter_ns() - started

        return once

    one, other = times(first), times(last)
    pairs = [(one(), other()) for _ in range(20_000)]
    early, late = (statistics.median(sorted(each)) for each in zip(*pairs, strict=True))
    assert abs(early - late) < 0.25 * max(early, late) + 50
    with cloud.db.log.recording() as known:
        cloud.send({**signed, "Signature": first})
    with cloud.db.log.recording() as unknown:
        cloud.send({**signed, "AWSAccessKeyId": "nobody", "Signature": first})
    assert len(unknown) >= 1
    assert len(known) >= 1
    cloud.close()


def test_an_exchanged_token_never_outlives_its_parent_at_any_door() -> None:
    """CVE-2012-5563, CVE-2012-3426: each way to a first token, and each way to exchange it"""
    cloud = SmallCloud()
    alice = cloud.users["alice"]
    v2 = {"auth": {"passwordCredentials": {"username": "alice", "password": "alice-pw"}, "tenantName": "apples"}}
    by_v2 = cloud.call("POST", "/v2.0/tokens", body=v2).json["access"]["token"]["id"]
    by_key = cloud.identity.token_by_access_key("alice", Secret(alice.access_key)).value.reveal()
    signing = cloud.identity.signing_key(alice.access_key)
    assert signing is not None
    by_signature = cloud.identity.token_for(signing.caller).value.reveal()
    scope = {"project": {"id": alice.default_project_id}}
    for first in (cloud.token("alice"), by_v2, by_key, by_signature):
        end, token = cloud.identity.validate(Secret(first)).expires_at, first
        for step in range(4):
            if step % 2:
                body = {"auth": {"token": {"id": token}, "tenantName": "apples"}}
                token = cloud.call("POST", "/v2.0/tokens", body=body).json["access"]["token"]["id"]
            else:
                answer = cloud.call("POST", "/v3/auth/tokens", body=token_auth(token, scope=scope))
                token = answer.headers["X-Subject-Token"]
            assert cloud.identity.validate(Secret(token)).expires_at == end
        cloud.identity.revoke(Secret(first))
        assert cloud.call("GET", "/v3/auth/projects", token=token).status_int == 401
