# SPDX-License-Identifier: Apache-2.0
"""The one door for XML: request bodies, manifests, libvirt's replies are parsed here, and documents are built here.

A document type declaration or an entity is refused whatever it says, nothing is fetched from disk or network, and depth
and size are bounded before a tree is built.  No other module imports an XML library; a contract of import-linter and a
test see to it.
"""

from __future__ import annotations

from typing import Any

import defusedxml.common
import defusedxml.ElementTree
from lxml import etree

from nova import errors

Element = Any
"""An lxml element (the library has no types)."""

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64


def parse(text: str | bytes, *, what: str = "XML document", max_bytes: int = MAX_BYTES) -> Element:
    """The root element of *text*, which may come from anybody.

    :param what: the words an error uses for the document
    :raises errors.InvalidInput: not well formed, has a DTD or entities, too deep
    :raises errors.TooLarge: more than *max_bytes*
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > max_bytes:
        raise errors.TooLarge(f"The {what} is larger than {max_bytes} bytes.")
    _refuse_declarations(data, what)
    try:
        root = etree.fromstring(_without_encoding(text, data), _parser())
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise errors.InvalidInput(f"The {what} is not well formed.", detail=str(exc)) from exc
    if _depth(root) > MAX_DEPTH:
        raise errors.InvalidInput(f"The {what} has more than {MAX_DEPTH} levels.")
    return root


def element(tag: str, text: str | None = None, /, **attributes: object) -> Element:
    """A new element; attribute values become text, attributes that are None are left out."""
    made = etree.Element(tag)
    _fill(made, text, attributes)
    return made


def child(parent: Element, tag: str, text: str | None = None, /, **attributes: object) -> Element:
    """A new element at the end of *parent*."""
    made = etree.SubElement(parent, tag)
    _fill(made, text, attributes)
    return made


def serialize(root: Element, *, declaration: bool = False, pretty: bool = False) -> str:
    """The text of *root*; every value is escaped by the library.

    :param declaration: begin with ``<?xml version='1.0' encoding='UTF-8'?>``
    """
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=declaration, pretty_print=pretty)
    return data.decode()


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )


def _refuse_declarations(data: bytes, what: str) -> None:
    """A first pass by expat, which stops at the first declaration and expands nothing."""
    try:
        defusedxml.ElementTree.fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except defusedxml.common.DefusedXmlException as exc:
        raise errors.InvalidInput(f"The {what} must not have a document type or entities.") from exc
    except (defusedxml.ElementTree.ParseError, ValueError, LookupError) as exc:
        raise errors.InvalidInput(f"The {what} is not well formed.", detail=str(exc)) from exc


def _without_encoding(text: str | bytes, data: bytes) -> bytes:
    """lxml refuses text that says its own encoding; the bytes of a ``str`` are UTF-8 whatever it says."""
    if isinstance(text, str) and data.startswith(b"<?xml"):
        return data.partition(b"?>")[2]
    return data


def _depth(root: Element) -> int:
    deepest = level = 0
    for event, _node in etree.iterwalk(root, events=("start", "end")):
        level += 1 if event == "start" else -1
        deepest = max(deepest, level)
    return deepest


def _fill(made: Element, text: str | None, attributes: dict[str, object]) -> None:
    if text is not None:
        made.text = text
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_"), str(value))
