# SPDX-License-Identifier: Apache-2.0
"""Strategies for what a stranger may send: bodies from a route's own schema, spoiled ones, and bytes of every kind."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

Json = Any

ODD_TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\x1b]0;x\x07",
        "a\r\nSet-Cookie: x=1",
        "\x85",
        "\u2028",
        "\u202eevil",
        "\ud800",
        "x\udfff",
    ),
    *("💩", "é" * 255, "💩" * 64, "a" * 256, "a" * 5000, "İ", "ß", "ﬃ", "٣", "null", "None", "true", "0", "-1", "1e9"),
    *(
        "../../../etc/passwd",
        "/dev/vda",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "10.0.0.0/33",
        "::ffff:1.2.3.4%lo",
    ),
    *(
        "'; DROP TABLE instances;--",
        "%s%n%x",
        "${jndi:x}",
        "{{7*7}}",
        "$(id)",
        ";id",
        "<script>",
        "]]>",
        "-o",
        "--help",
    ),
    *(
        "9999-99-99T99:99:99Z",
        "0001-01-01T00:00:00Z",
        "((((((((((a*)*)*)*)*)*)*)*)*)*b",
        "a" * 30 + "!",
        "%25%00",
        "%ff",
    ),
)
ODD_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), 10**19, 10**400, 1.5, -0.0, 1e308, 1e-320)
NOT_NUMBERS = (float("nan"), float("inf"))
ODD_IDS = (
    *(
        "x",
        "0",
        "-1",
        "1.0",
        "99999999999999999999",
        "00000000-0000-4000-8000-000000000000",
        "%00",
        "%ff%fe",
        "%ED%A0%80",
    ),
    *(
        "..%2f..%2fetc%2fpasswd",
        "..",
        ".",
        "a" * 255,
        "a" * 256,
        "a" * 9000,
        "%E2%80%AE",
        "%F0%9F%92%A9",
        "1'--",
        "%0d%0aX: y",
    ),
    *(
        "%25s",
        "*",
        "detail",
        "null",
        "%20",
        "+",
        ";",
        "a;b=c",
        "%5c..%5c",
        "%2e%2e",
        "%C3%A9",
        "i-00000001",
        "1%2C2",
        "1.json",
    ),
)
QUERY_NAMES = (
    *(
        "limit",
        "marker",
        "offset",
        "sort_key",
        "sort_dir",
        "sort",
        "changes-since",
        "changes-before",
        "status",
        "name",
        "ip",
    ),
    *(
        "ip6",
        "image",
        "flavor",
        "host",
        "hostname",
        "all_tenants",
        "project_id",
        "tenant_id",
        "user_id",
        "deleted",
        "id",
    ),
    *(
        "metadata",
        "minRam",
        "minDisk",
        "is_public",
        "start",
        "end",
        "detailed",
        "binary",
        "type",
        "server",
        "node",
        "uuid",
    ),
    *(
        "power_state",
        "vm_state",
        "task_state",
        "locked",
        "tags",
        "not-tags",
        "reservation_id",
        "with_servers",
        "hypervisor",
    ),
    *(
        "enabled",
        "domain_id",
        "visibility",
        "owner",
        "member_status",
        "created_at",
        "size_min",
        "tag",
        "usage",
        "fields",
    ),
)
DEEP = 60

_numbers = st.one_of(st.sampled_from(ODD_NUMBERS), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
_texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
_odd: st.SearchStrategy[Json] = st.one_of(
    _texts,
    _numbers,
    st.sampled_from((None, True, False, [], {}, [[]], [None], {"": ""}, {"a": {}}, [{}], *NOT_NUMBERS)),
    st.lists(_texts, max_size=3),
    st.dictionaries(_texts, _texts, max_size=3),
)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Json]:
    """Values that fit *schema*, or nearly: patterns and combinations are met by luck."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for words in ("oneOf", "anyOf"):
        if words in schema and "properties" not in schema:
            return st.one_of(
                [fitting({**schema, words: [], **each}) if each else _odd for each in schema[words]] or [_odd]
            )
    kinds = schema.get("type") or ("object" if "properties" in schema else "string")
    return st.one_of([_of_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_kind(kind: str, schema: dict[str, Any]) -> st.SearchStrategy[Json]:
    if kind == "object":
        return _objects(schema)
    if kind == "array":
        items = fitting(schema["items"]) if isinstance(schema.get("items"), dict) else _texts
        return st.lists(items, min_size=min(schema.get("minItems", 0), 3), max_size=min(schema.get("maxItems", 3), 3))
    if kind in ("integer", "number"):
        low = schema.get("minimum", -5)
        return st.integers(low, max(low, schema.get("maximum", 2**31)))
    if kind in ("boolean", "null"):
        return st.booleans() if kind == "boolean" else st.none()
    return _fitting_texts(schema)


def _fitting_texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    plain = st.sampled_from(("a", "web", "10.0.0.0/24", "10.0.0.9", "1", "nova", "2030-01-01T00:00:00Z", "fe80::1"))
    wide = st.text(min_size=min(schema.get("minLength", 0), 5), max_size=min(schema.get("maxLength", 20), 300))
    uuids = st.just("70a599e0-31e7-49b7-b260-868f441e862b")
    return st.one_of(plain, uuids, wide)


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[Json]:
    known: dict[str, Any] = schema.get("properties", {})
    required = {key: fitting(known.get(key, {})) for key in schema.get("required", ())}
    optional = {key: fitting(each) for key, each in known.items() if key not in required}
    found = st.fixed_dictionaries(required, optional=optional)
    if not schema.get("patternProperties"):
        return found
    more = st.dictionaries(
        st.sampled_from(("k", "key 2", "x:y")), fitting(next(iter(schema["patternProperties"].values())))
    )
    return st.builds(lambda one, two: {**two, **one}, found, more)


@st.composite
def spoiled(draw: st.DrawFn, schema: dict[str, Any]) -> Json:
    """A fitting value with one to three odd things done to it, anywhere in it."""
    value = draw(fitting(schema))
    for _ in range(draw(st.integers(1, 3))):
        value = _spoil(draw, value)
    return value


def _spoil(draw: st.DrawFn, value: Json) -> Json:
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: _spoil(draw, value[key])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [_spoil(draw, value[0]), *value[1:]]
    how = draw(st.sampled_from(("replace", "replace", "remove", "add", "repeat", "nest", "retype")))
    if how == "remove" and isinstance(value, dict) and value:
        gone = draw(st.sampled_from(sorted(value)))
        return {key: each for key, each in value.items() if key != gone}
    if how == "add" and isinstance(value, dict):
        return {**value, draw(_texts): draw(_odd)}
    if how == "repeat":
        return [value] * draw(st.sampled_from((2, 12)))
    if how == "nest":
        for _ in range(DEEP):
            value = {"a": value}
        return value
    if how == "retype":
        return str(value) if not isinstance(value, str) else {"id": value}
    return draw(_odd)


def encoded(value: Json, *, ascii_only: bool) -> bytes:
    """JSON as a careless client writes it: also NaN, also halves of surrogate pairs."""
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def bodies(schema: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """JSON in the neighbourhood of what *schema* takes, three quarters of it spoiled."""
    values = st.one_of(fitting(schema), spoiled(schema), spoiled(schema), spoiled(schema))
    plain = st.builds(lambda value, ascii_only: encoded(value, ascii_only=ascii_only), values, st.booleans())
    return st.one_of(plain, plain, plain, plain.map(_twice), garbage())


def _twice(raw: bytes) -> bytes:
    """The first key of an object a second time."""
    match = re.match(rb'\{("[^"]*": )', raw)
    return b"{" + match.group(1) + b"1, " + raw[1:] if match else raw


def garbage() -> st.SearchStrategy[bytes]:
    """What is no JSON at all."""
    known = (
        b"",
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"[" * 20_000,
        b'{"a":' * 9000,
        b"\x00" * 10,
        b"9" * 5000,
        b'"' * 9,
    )
    return st.one_of(st.sampled_from(known), st.binary(max_size=40))


def ids() -> st.SearchStrategy[str]:
    """One part of a path, in percent-encoding."""
    return st.one_of(st.sampled_from(ODD_IDS), st.binary(min_size=1, max_size=12).map(lambda raw: quote(raw, safe="")))


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query string: names that mean something, values that do not."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.sampled_from(("&".join(f"a{n}=1" for n in range(1100)), "x" * 9000, "%", "&&&==", "a=%ff", "=\xff"))
        )
    names = st.one_of(st.sampled_from(QUERY_NAMES), st.sampled_from(QUERY_NAMES), st.text(max_size=5).map(_quoted))
    plain = st.sampled_from(
        ("1", "10", "web", "active", "10.0.0.1", "fd00::1", "nova", "2020-01-01T00:00:00Z", "created_at")
    )
    values = st.one_of(plain, st.sampled_from(ODD_TEXTS), st.text(max_size=8))
    pairs = draw(st.lists(st.tuples(names, values), max_size=4))
    return "&".join(f"{name}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


MEDIA_TYPES = (
    *("application/json", "application/json; charset=utf-16", "application/xml", "text/plain", "", "\xff/\xfe"),
    *("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/octet-stream", "a" * 5000),
    *("application/vnd.openstack.compute+json", "application/openstack-images-v2.1-json-patch"),
)
