# SPDX-License-Identifier: Apache-2.0
"""Requests are counted by user and kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from nova.api.dispatch import CONTEXT
from nova.api.middleware.rate_limit import LIMITS, Limit, RateLimit, parse
from nova.context import RequestContext
from nova.errors import InvalidConfiguration, RateLimited


def passing(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    return [str(environ[LIMITS][0][1]).encode()]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def send(app: RateLimit, user: str = "alice", method: str = "POST", path: str = "/apples/servers") -> bytes:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, CONTEXT: RequestContext(user_id=user)}
    (left,) = app(environ, None)
    return left


def test_the_limit_holds_for_each_user_and_fills_again() -> None:
    clock = Clock()
    app = RateLimit(passing, limits=parse('(POST, "*", .*, 2, MINUTE)'), clock=clock)
    assert [send(app), send(app)] == [b"1", b"0"]
    with pytest.raises(RateLimited) as refused:
        send(app)
    assert refused.value.data["retry_after_s"] == 31
    assert send(app, "bob") == b"1"
    assert send(app, method="GET") == b"0"
    clock.now = 31
    send(app)


def test_the_expression_is_matched_after_version_and_project() -> None:
    app = RateLimit(passing, limits=parse("(POST, */servers, ^/servers, 1, DAY)"), clock=Clock())
    send(app, path="/apples/servers")
    with pytest.raises(RateLimited):
        send(app, path="/apples/servers")
    send(app, path="/apples/os-keypairs")


def test_limits_are_read_as_they_were_always_written() -> None:
    assert parse('(POST, "*", .*, 10, MINUTE);(PUT, "*/x", ^/x, 3, day)') == (
        Limit("POST", "*", ".*", 10, "MINUTE"),
        Limit("PUT", "*/x", "^/x", 3, "DAY"),
    )


@pytest.mark.parametrize(
    "text", ["POST", '(POST, "*", .*, x, MINUTE)', '(POST, "*", .*, 1, WEEK)', '(POST, "*", .*, 0, DAY)']
)
def test_limits_that_cannot_be_read_stop_the_daemon(text: str) -> None:
    with pytest.raises(InvalidConfiguration):
        parse(text)
