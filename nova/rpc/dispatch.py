# SPDX-License-Identifier: Apache-2.0
"""From the name of a method in a message to the function that serves it, with the proof that they fit each other."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nova.errors import NotSupported
from nova.rpc.codec import BadMessage, MethodCodec, checked_codecs
from nova.rpc.interface import Interface


@dataclass(frozen=True, slots=True)
class Route:
    """How one method is served."""

    codec: MethodCodec
    function: Callable[..., Any]


class Dispatch:
    """The methods of all interfaces that a server serves, by name."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def add(self, interface: type[Interface], implementation: object) -> None:
        """Serve *interface* with *implementation*; TypeError names every method that is missing or differs."""
        wire = checked_codecs(interface)
        problems = [*_differences(interface, implementation, wire), *self._taken(wire)]
        if problems:
            raise TypeError(f"{type(implementation).__name__} cannot serve {interface.__name__}: {'; '.join(problems)}")
        for name, codec in wire.items():
            self._routes[codec.wire_name] = Route(codec, getattr(implementation, name))

    def _taken(self, wire: dict[str, MethodCodec]) -> Iterator[str]:
        for codec in wire.values():
            if codec.wire_name in self._routes:
                yield f"{codec.name} is served already"

    def topics(self) -> list[str]:
        """The topics of all interfaces, each once."""
        return sorted({route.codec.topic for route in self._routes.values()})

    def route(self, method: str, version: str) -> Route:
        """Who serves *method*; BadMessage when nobody does, NotSupported for a version we do not speak."""
        route = self._routes.get(method)
        if route is None:
            raise BadMessage(f"method {method[:100]!r} is unknown")
        if version != route.codec.version:
            _check_version(route.codec, version)
        return route


def _check_version(codec: MethodCodec, asked: str) -> None:
    ours = codec.version.split(".")
    theirs = asked[:20].split(".")
    if len(theirs) != 2 or not all(part.isascii() and part.isdigit() for part in theirs):
        raise BadMessage(f"version {asked[:20]!r} is none")
    if theirs[0] != ours[0] or int(theirs[1]) > int(ours[1]):
        raise NotSupported(
            f"{codec.topic} of version {codec.version} does not understand messages of version {asked}.",
            topic=codec.topic,
            version=codec.version,
        )


def _differences(interface: type[Interface], implementation: object, wire: dict[str, MethodCodec]) -> Iterator[str]:
    for name in sorted(wire):
        function = getattr(implementation, name, None)
        if not callable(function):
            yield f"{name} is missing"
        elif difference := _difference(getattr(interface, name), function):
            yield f"{name}: {difference}"


def _difference(declared: Callable[..., Any], served: Callable[..., Any]) -> str:
    wanted = list(inspect.signature(declared).parameters.values())[1:]
    found = list(inspect.signature(served).parameters.values())
    if [(each.name, each.kind) for each in wanted] != [(each.name, each.kind) for each in found]:
        return f"takes ({_shown(found)}), not ({_shown(wanted)})"
    wanted_types, found_types = typing.get_type_hints(declared), typing.get_type_hints(served)
    if wanted_types != found_types:
        differing = [key for key in wanted_types if wanted_types[key] != found_types.get(key)]
        return f"other annotations of {', '.join(differing) or 'more arguments'}"
    return ""


def _shown(parameters: list[inspect.Parameter]) -> str:
    return ", ".join(each.name for each in parameters)
