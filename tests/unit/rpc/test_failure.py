# SPDX-License-Identifier: Apache-2.0
"""Errors on their way to the caller."""

from __future__ import annotations

import pytest

from nova import errors
from nova.rpc.failure import Failure, describe, rebuild
from nova.secret import Secret


def test_an_error_is_rebuilt_with_its_data_and_its_detail() -> None:
    sent = errors.NotFound("No such server.", detail="row 3", resource="server", id=7, hosts=("a", "b"))
    got = rebuild(describe(sent), where="compute.boot on h1")
    assert type(got) is errors.NotFound
    assert (got.message, got.data) == ("No such server.", {"resource": "server", "id": 7, "hosts": ["a", "b"]})
    assert got.detail == "row 3; compute.boot on h1"


@pytest.mark.parametrize("kind", ["SystemExit", "os.system", "Exception", "", "x" * 10_000, "NotFound "])
def test_a_kind_that_is_not_ours_becomes_an_internal_error(kind: str) -> None:
    got = rebuild(Failure(kind, "boo"), where="here")
    assert type(got) is errors.InternalError
    assert "boo" not in got.message
    assert len(got.detail) < 1000


def test_data_cannot_take_the_place_of_the_message() -> None:
    got = rebuild(Failure("NotFound", "m", {"message": "x", "detail": "y", "self": "z", "id": 1}), where="here")
    assert (got.message, got.data) == ("m", {"id": 1})


def test_a_subclass_that_only_the_sender_knows_arrives_as_its_kind() -> None:
    class Local(errors.NoCapacity):
        pass

    assert type(rebuild(describe(Local("full")), where="")) is errors.NoCapacity


def test_secrets_and_objects_in_data_cross_as_what_they_show() -> None:
    failure = describe(errors.InvalidInput("bad", password=Secret("hunter2"), when=object, inner={1: Secret("x")}))
    assert failure.data == {"password": "***", "when": "<class 'object'>", "inner": {"1": "***"}}


def test_an_endless_message_is_cut() -> None:
    failure = describe(ValueError("x" * 1_000_000))
    assert len(failure.detail) + len(failure.message) < 5000
