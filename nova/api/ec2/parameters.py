# SPDX-License-Identifier: Apache-2.0
"""What an action takes, and the values of a request by that.

    PARAMETERS = (Many(Text("InstanceId")), Group("Placement", Text("AvailabilityZone")), Number("MinCount"))

``InstanceId.2=i-…`` and ``Placement.AvailabilityZone=…`` become ``{"InstanceId": ["i-…"], "Placement": {…}}``.  A text
is never guessed to be a number: the declaration decides, so that a key pair may be called ``007``.  What an action does
not know is refused, since a client that spells a filter wrongly must not get, or end, everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nova.api.ec2.faults import Ec2Refusal

MAX_TEXT = 255
MAX_LIST = 1000
MAX_DEPTH = 6
_INDEX = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Tree = dict[str, Any]
"""Text at the leaves"""


class Parameter(Protocol):
    """One declared parameter."""

    @property
    def name(self) -> str:
        """As it stands in the request."""
        ...

    @property
    def required(self) -> bool:
        """Whether a call without it is refused."""
        ...

    def convert(self, given: Any, path: str) -> Any:
        """The value of *given*, a leaf or a branch of the request; *path* is what an error calls it."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most *most* characters, one line of it unless *lines*."""

    name: str
    required: bool = False
    most: int = MAX_TEXT
    choices: tuple[str, ...] = ()

    def convert(self, given: Any, path: str) -> str:
        """See Parameter."""
        text = _leaf(given, path)
        if len(text) > self.most:
            raise Ec2Refusal("InvalidParameterValue", f"{path} is longer than {self.most} characters.")
        if _CONTROL.search(text):
            raise Ec2Refusal("InvalidParameterValue", f"{path} has a control character.")
        if self.required and not text:
            raise Ec2Refusal("MissingParameter", f"{path} is empty.")
        if self.choices and text not in self.choices:
            raise Ec2Refusal("InvalidParameterValue", f"{path} is one of: {', '.join(self.choices)}.")
        return text


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    name: str
    required: bool = False
    least: int = 0
    most: int = 2**31 - 1

    def convert(self, given: Any, path: str) -> int:
        """See Parameter."""
        text = _leaf(given, path)
        if not _NUMBER.fullmatch(text) or not self.least <= int(text) <= self.most:
            raise Ec2Refusal("InvalidParameterValue", f"{path} is a number from {self.least} to {self.most}.")
        return int(text)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false, in any spelling of case."""

    name: str
    required: bool = False

    def convert(self, given: Any, path: str) -> bool:
        """See Parameter."""
        text = _leaf(given, path).lower()
        if text not in ("true", "false"):
            raise Ec2Refusal("InvalidParameterValue", f"{path} is true or false.")
        return text == "true"


class Group:
    """Named parts: ``Placement.AvailabilityZone``."""

    def __init__(self, name: str, *parts: Parameter, required: bool = False) -> None:
        self.name = name
        self.required = required
        self.parts = parts

    def convert(self, given: Any, path: str) -> dict[str, Any]:
        """See Parameter."""
        if not isinstance(given, Mapping):
            raise Ec2Refusal("InvalidParameterValue", f"{path} has parts, and no value of its own.")
        return values_of(given, self.parts, prefix=f"{path}.")


class Many:
    """``InstanceId.1``, ``InstanceId.2`` … in the order of the numbers; a single one may come without a number."""

    def __init__(self, of: Parameter, *, required: bool = False, most: int = MAX_LIST) -> None:
        self.name = of.name
        self.required = required
        self._of = of
        self._most = most

    def convert(self, given: Any, path: str) -> list[Any]:
        """See Parameter."""
        if isinstance(given, str):
            return [self._of.convert(given, path)]
        if not all(_INDEX.fullmatch(key) for key in given):
            raise Ec2Refusal("InvalidParameterValue", f"{path} is a list: {path}.1, {path}.2 and so on.")
        if len(given) > self._most:
            raise Ec2Refusal("InvalidParameterValue", f"{path} has more than {self._most} members.")
        return [self._of.convert(given[key], f"{path}.{key}") for key in sorted(given, key=int)]


FILTERS = Many(Group("Filter", Text("Name", required=True), Many(Text("Value"), required=True, most=200)), most=50)
DRY_RUN = Flag("DryRun")
PAGING: tuple[Parameter, ...] = (Number("MaxResults", least=1), Text("NextToken", most=1024))
"""Taken and not obeyed: lists come whole."""


def tree_of(flat: Mapping[str, str]) -> Tree:
    """The parameters by the parts of their names."""
    root: Tree = {}
    for name, value in flat.items():
        *branches, leaf = name.split(".")
        if len(branches) >= MAX_DEPTH:
            raise Ec2Refusal("UnknownParameter", f"The parameter {_shown(name)} is not known.")
        node = root
        for branch in branches:
            node = node.setdefault(branch, {})
            if not isinstance(node, dict):
                raise _twice(name)
        if leaf in node:
            raise _twice(name)
        node[leaf] = value
    return root


def values_of(tree: Mapping[str, Any], declared: Sequence[Parameter], *, prefix: str = "") -> dict[str, Any]:
    """The values of the parameters that are there."""
    known = {parameter.name: parameter for parameter in declared}
    for name in tree:
        if name not in known:
            raise Ec2Refusal("UnknownParameter", f"The parameter {_shown(prefix + name)} is not known.")
    for parameter in declared:
        if parameter.required and parameter.name not in tree:
            raise Ec2Refusal("MissingParameter", f"The request must contain the parameter {prefix}{parameter.name}.")
    return {name: known[name].convert(given, prefix + name) for name, given in tree.items()}


def _leaf(given: Any, path: str) -> str:
    if isinstance(given, dict) and list(given) == ["1"]:
        given = given["1"]
    if not isinstance(given, str):
        raise Ec2Refusal("InvalidParameterValue", f"{path} is a single value.")
    return given


def _shown(name: str) -> str:
    return name[:64]


def _twice(name: str) -> Ec2Refusal:
    return Ec2Refusal("InvalidParameterCombination", f"The parameter {_shown(name)} has both a value and parts.")
