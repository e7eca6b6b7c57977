# SPDX-License-Identifier: Apache-2.0
"""How a daemon's typed interface is declared: one class, from which client proxy and server dispatch both come.

    class Scheduler(Interface):
        \"\"\"Chooses hosts.\"\"\"

        topic = "scheduler"
        version = "1.0"

        @call(timeout_s=60)
        def select_hosts(self, context: RequestContext, *, spec: RequestSpec) -> list[HostClaim]:
            \"\"\"One claimed host for each server of *spec*, best first.\"\"\"
            ...

``nova.rpc.client.client_for(Scheduler, transport)`` is an object of that class whose methods send messages;
``nova.rpc.server.Server.serve(Scheduler, implementation)`` answers them, and refuses to start unless *implementation*
has every method with the same signature.  Arguments and results are coded by their annotations.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

MARK = "__rpc_method__"


class Kind(enum.Enum):
    """How a method's message travels."""

    CALL = "call"
    """To one server of the topic; the answer comes back or a time-out is raised."""
    CAST = "cast"
    """To one server of the topic; returns once the broker has confirmed the message."""
    FANOUT = "fanout"
    """To every server of the topic that is running now; nobody answers."""


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What a decorator recorded about a method."""

    kind: Kind
    timeout_s: float = 0.0


class Interface:
    """The base of all interfaces; see the module for the form."""

    topic: ClassVar[str]
    """The queue name: one server of the topic takes each message, or the server on one host with ``on``."""
    version: ClassVar[str]
    """``major.minor``: a server takes messages of its own major version and of minor versions up to its own."""
    carries_token: ClassVar[bool] = False
    """Whether its work calls a neighbour in the caller's name; without that the caller's token stays where it is."""

    def on(self, host: str) -> Self:
        """The same interface, but spoken with the server on *host* only (its own queue ``topic.host``)."""
        raise TypeError(f"{type(self).__name__} is not a client")


def call(*, timeout_s: float) -> Callable[[F], F]:
    """Declare a method whose answer the caller waits for, at most *timeout_s* seconds."""
    return _mark(MethodSpec(Kind.CALL, timeout_s))


def cast(method: F) -> F:
    """Declare a method that is asked for and not waited for."""
    return _mark(MethodSpec(Kind.CAST))(method)


def fanout(method: F) -> F:
    """Declare a method that every server of the topic gets."""
    return _mark(MethodSpec(Kind.FANOUT))(method)


def _mark(spec: MethodSpec) -> Callable[[F], F]:
    def decorate(method: F) -> F:
        setattr(method, MARK, spec)
        return method

    return decorate


def methods(interface: type[Interface]) -> dict[str, MethodSpec]:
    """The remote methods of *interface* by name."""
    found = {}
    for name in dir(interface):
        spec = getattr(getattr(interface, name), MARK, None)
        if isinstance(spec, MethodSpec):
            found[name] = spec
    return found
