# SPDX-License-Identifier: Apache-2.0
"""Errors become answers; what is unexpected tells nothing."""

from __future__ import annotations

import json

import pytest

from nova import errors
from nova.api.faults import UNEXPECTED, compute_shape, fault_of
from nova.api.refusal import Refusal

EXPECTED = {
    "NotFound": 404,
    "AlreadyExists": 409,
    "InvalidInput": 400,
    "InvalidState": 409,
    "Conflict": 409,
    "Unauthenticated": 401,
    "Forbidden": 403,
    "QuotaExceeded": 403,
    "TooLarge": 413,
    "RateLimited": 429,
    "NoCapacity": 400,
    "Unavailable": 503,
    "Timeout": 503,
    "InvalidImage": 400,
    "NotSupported": 501,
    "HypervisorError": 500,
    "InvalidConfiguration": 500,
    "InternalError": 500,
    "NovaError": 500,
}


def test_every_kind_has_its_status() -> None:
    assert {name: fault_of(kind("x")).status for name, kind in errors.KINDS.items()} == EXPECTED


@pytest.mark.parametrize(("kind", "status"), [(errors.QuotaExceeded, 413), (errors.RateLimited, 413)])
def test_older_endpoints_say_over_limit(kind: type[errors.NovaError], status: int) -> None:
    assert fault_of(kind("x"), legacy=True).status == status


@pytest.mark.parametrize(
    "error", [ValueError("/etc/secret"), errors.InternalError("x", detail="SELECT"), KeyError("k")]
)
def test_an_unexpected_error_tells_nothing(error: Exception) -> None:
    fault = fault_of(error, request_id="req-1")
    assert (fault.status, fault.message, fault.data) == (500, UNEXPECTED, {})


def test_the_detail_of_an_error_stays_in_the_log() -> None:
    fault = fault_of(errors.NotFound("Gone.", detail="on host h1"))
    assert fault.message == "Gone."


def test_the_shape_has_the_fields_name_and_the_wait() -> None:
    kind, content = compute_shape(fault_of(errors.RateLimited("Slow.", retry_after_s=7)))
    assert kind == "application/json"
    assert json.loads(content) == {"overLimit": {"code": 429, "message": "Slow.", "retryAfter": "7"}}
    assert json.loads(compute_shape(fault_of(Refusal(406, "No.")))[1]) == {
        "computeFault": {"code": 406, "message": "No."}
    }
