# SPDX-License-Identifier: Apache-2.0
"""A server serves an interface whole, or refuses to start."""

from __future__ import annotations

import pytest

from nova.context import RequestContext
from nova.errors import NotSupported
from nova.rpc.codec import BadMessage
from nova.rpc.dispatch import Dispatch
from nova.rpc.interface import Interface, call, cast


class Door(Interface):
    topic = "door"
    version = "2.3"

    @call(timeout_s=1)
    def open(self, context: RequestContext, *, wide: bool) -> int: ...

    @cast
    def close(self, context: RequestContext) -> None: ...


class Good:
    def open(self, context: RequestContext, *, wide: bool) -> int:
        return 1

    def close(self, context: RequestContext) -> None: ...


class Missing:
    def open(self, context: RequestContext, *, wide: bool) -> int:
        return 1


class OtherName(Good):
    def open(self, context: RequestContext, *, far: bool) -> int:  # type: ignore[override]
        return 1


class OtherKind(Good):
    def open(self, context: RequestContext, wide: bool) -> int:
        return 1


class OtherType(Good):
    def open(self, context: RequestContext, *, wide: str) -> int:  # type: ignore[override]
        return 1


class OtherResult(Good):
    def open(self, context: RequestContext, *, wide: bool) -> str:  # type: ignore[override]
        return ""


@pytest.mark.parametrize(
    ("implementation", "problem"),
    [
        (Missing, "close is missing"),
        (OtherName, "open: takes"),
        (OtherKind, "open: takes"),
        (OtherType, "open: other annotations of wide"),
        (OtherResult, "open: other annotations of return"),
    ],
)
def test_an_implementation_that_differs_is_refused_with_the_difference(
    implementation: type[object], problem: str
) -> None:
    with pytest.raises(TypeError, match=f"cannot serve Door: {problem}"):
        Dispatch().add(Door, implementation())


def test_a_method_is_served_once_only() -> None:
    dispatch = Dispatch()
    dispatch.add(Door, Good())
    with pytest.raises(TypeError, match="open is served already"):
        dispatch.add(Door, Good())


@pytest.mark.parametrize(("version", "error"), [("2.4", NotSupported), ("1.0", NotSupported), ("3.0", NotSupported),
                                                ("2", BadMessage), ("2.x", BadMessage), ("", BadMessage)])  # fmt: skip
def test_a_version_that_we_do_not_speak_is_refused(version: str, error: type[Exception]) -> None:
    dispatch = Dispatch()
    dispatch.add(Door, Good())
    assert dispatch.route("door.open", "2.0").codec.name == "open"
    with pytest.raises(error):
        dispatch.route("door.open", version)
