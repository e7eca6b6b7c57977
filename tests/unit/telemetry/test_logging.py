# SPDX-License-Identifier: Apache-2.0
"""The request that a thread works for."""

from __future__ import annotations

import threading

import pytest

from nova.context import RequestContext
from nova.telemetry.logging import bind, bound


def test_a_request_is_bound_inside_only_and_the_outer_one_comes_back() -> None:
    one, two = RequestContext(), RequestContext()
    with bind(one):
        with bind(two):
            assert bound() is two
        assert bound() is one
    assert bound() is None


def test_a_request_is_unbound_when_the_work_fails() -> None:
    with pytest.raises(ValueError), bind(RequestContext()):
        raise ValueError
    assert bound() is None


def test_each_thread_has_its_own() -> None:
    seen: list[RequestContext | None] = []
    with bind(RequestContext()):
        thread = threading.Thread(target=lambda: seen.append(bound()))
        thread.start()
        thread.join()
    assert seen == [None]
