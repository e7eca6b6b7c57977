# SPDX-License-Identifier: Apache-2.0
"""XML answers.  A mapping becomes elements, a list repeated ``<item>``; None is left out, since clients read an empty
element as a wrong number or time.  Times are UTC."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence

from nova.system import xml

Value = None | bool | int | str | datetime.datetime | Sequence["Value"] | Mapping[str, "Value"]

NAMESPACE = "http://ec2.amazonaws.com/doc/"
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer_document(action: str, version: str, result: Mapping[str, Value], *, request_id: str) -> bytes:
    """What a successful call of *action* gets, in the name space of the *version* that the client speaks."""
    root = xml.element(f"{action}Response", xmlns=f"{NAMESPACE}{version}/")
    xml.child(root, "requestId", request_id)
    _fill(root, result)
    return xml.serialize(root, declaration=True).encode()


def error_document(code: str, message: str, *, request_id: str) -> bytes:
    """What a failed one gets."""
    root = xml.element("Response")
    error = xml.child(xml.child(root, "Errors"), "Error")
    xml.child(error, "Code", code)
    xml.child(error, "Message", _printable(message))
    xml.child(root, "RequestID", request_id)
    return xml.serialize(root, declaration=True).encode()


def _fill(parent: xml.Element, values: Mapping[str, Value]) -> None:
    for name, value in values.items():
        if value is not None:
            _put(xml.child(parent, name), value)


def _put(node: xml.Element, value: Value) -> None:
    if isinstance(value, Mapping):
        _fill(node, value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _put(xml.child(node, "item"), item)
    else:
        node.text = _text(value)


def _text(value: bool | int | str | datetime.datetime | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return "" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """XML has no way to write most control characters."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
