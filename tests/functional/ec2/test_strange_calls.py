# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent, the answer is XML with a code that names what is wrong: never a 500, nothing of our insides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from webob import Request

from nova.api.ec2.action import Ec2Action
from nova.api.ec2.actions import ACTIONS
from nova.api.ec2.parameters import Group, Many
from tests.functional.ec2_cloud import HOST, PATH, SOURCE, Ec2Cloud, bare, code_of

VALUES = (
    *("", " ", "0", "1", "-1", "007", "2147483648", "99999999999999999999", "1e9", "NaN", "true", "None", "null"),
    *("i-00000001", "i-ffffffff", "vol-00000001", "ami-00000001", "aki-ffffffff", "snap-1", "default", "m1.tiny"),
    *("'; DROP TABLE instances; --", "${jndi:x}", "../../etc/passwd", "<x>&amp;", "%s%n", "*" * 50, "?*?*?*\\", "\\"),
    *("\u202e\U0001f4a9", "\ufffe", "\x01", "\x7f", "a\nb", "é" * 300, "x" * 5000, "0.0.0.0/0", "tcp", "MTIz"),
)
FORBIDDEN = ("Traceback", "SELECT ", "sqlalchemy", "sqlite", "/nova/", ".py", "Error:", "NoneType")


def leaves(parameters: Sequence[Any], prefix: str = "") -> list[str]:
    """A name for each text, number or flag that is declared."""
    found: list[str] = []
    for parameter in parameters:
        inner, path = parameter, f"{prefix}{parameter.name}"
        if isinstance(parameter, Many):
            inner, path = parameter._of, f"{path}.1"
        found += leaves(inner.parts, f"{path}.") if isinstance(inner, Group) else [path]
    return found


def broken(names: Sequence[str]) -> list[str]:
    """The same with a part too many, too few, or of the wrong kind."""
    return [*names, *(f"{each}.1" for each in names), *(each.partition(".")[0] for each in names)] or ["x"]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_no_value_of_any_parameter_breaks_an_action(cloud: Ec2Cloud, action: Ec2Action) -> None:
    chance = random.Random(action.name)
    names = leaves(action.parameters)
    required = leaves([each for each in action.parameters if each.required])
    for turn in range(60):
        pool = broken(names) if turn % 4 == 0 else names
        chosen = chance.sample(pool, min(len(pool), chance.randint(0, 3)))
        given = {name: chance.choice(VALUES) for name in (*required, *chosen)}
        answer = cloud.ask(action.name, **given)
        assert answer.status_int < 500, (given, answer.text)
        assert answer.content_type == "text/xml"
        root = bare(answer.body)
        if answer.status_int != 200:
            assert root.findtext("Errors/Error/Code")
            assert not any(word in root.findtext("Errors/Error/Message") for word in FORBIDDEN), answer.text


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_what_an_action_does_not_know_or_lacks_is_named(cloud: Ec2Cloud, action: Ec2Action) -> None:
    assert cloud.code(action.name, Colour="red") == "UnknownParameter"
    required = [each.name for each in action.parameters if each.required]
    if required:
        answer = cloud.ask(action.name)
        assert code_of(answer, status=400) == "MissingParameter"
        assert any(name in answer.text for name in required)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"InstanceId": "i-00000001", "InstanceId.1": "i-00000001"}, "InvalidParameterCombination"),
        ({"InstanceId.1": "i-00000001", "InstanceId.1.x": "1"}, "InvalidParameterCombination"),
        ({"InstanceId.01": "i-00000001"}, "InvalidParameterValue"),
        ({"InstanceId.0": "i-00000001"}, "InvalidParameterValue"),
        ({"InstanceId.x": "i-00000001"}, "InvalidParameterValue"),
        ({"InstanceId.999999": "i-00000001"}, "InvalidParameterValue"),
        ({"InstanceId.1.2": "i-00000001"}, "InvalidParameterValue"),
        ({"Filter.1": "x"}, "InvalidParameterValue"),
        ({"Filter.1.Name": "x"}, "MissingParameter"),
        ({"Filter.1.Value.1": "x"}, "MissingParameter"),
        ({"a.b.c.d.e.f.g.h": "x"}, "UnknownParameter"),
        ({"": "x"}, "UnknownParameter"),
        ({".": "x"}, "UnknownParameter"),
        ({"MaxResults": "many"}, "InvalidParameterValue"),
        ({"DryRun": "maybe"}, "InvalidParameterValue"),
    ],
)
def test_a_parameter_of_the_wrong_shape(cloud: Ec2Cloud, given: dict[str, Any], code: str) -> None:
    assert cloud.code("DescribeInstances", **given) == code


def test_lists_are_bounded(cloud: Ec2Cloud) -> None:
    many: dict[str, Any] = {f"Filter.1.Value.{index}": "x" for index in range(1, 300)}
    assert cloud.code("DescribeInstances", **{"Filter.1.Name": "image-id"}, **many) == "InvalidParameterValue"
    many = {f"InstanceId.{index}": "i-00000001" for index in range(1, 1100)}
    assert cloud.code("DescribeInstances", **many) == "InvalidRequest"


@pytest.mark.parametrize(
    ("action", "version", "code"),
    [
        ("", "2016-11-15", "MissingParameter"),
        ("DescribeRegions", "", "MissingParameter"),
        ("DescribeRegions", "latest", "InvalidParameterValue"),
        ("DescribeRegions", '2016-11-15"><x', "InvalidParameterValue"),
        ("describeregions", "2016-11-15", "InvalidAction"),
        ("__class__", "2016-11-15", "InvalidAction"),
        ("<script>", "2016-11-15", "InvalidAction"),
    ],
)
def test_an_action_that_is_none(cloud: Ec2Cloud, action: str, version: str, code: str) -> None:
    answer = cloud.ask(action, Version=version)
    assert code_of(answer, status=400) == code
    assert "script" not in answer.text


def raw(cloud: Ec2Cloud, method: str, *, query: str = "", body: bytes = b"", kind: str = "") -> Any:
    request = Request.blank(f"{PATH}?{query}" if query else PATH, method=method)
    request.host, request.remote_addr = HOST, SOURCE
    request.body = body
    request.content_type = kind or "application/x-www-form-urlencoded"
    return request.get_response(cloud.ec2)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\xff\xfe", "", 400),
        (b"Action=%ff%fe", "", 400),
        (b"Action=a%00b", "", 400),
        (b"&".join(b"a%d=1" % index for index in range(1001)), "", 400),
        (b"a" * 200_000, "", 413),
        (b"{}", "application/json", 400),
        (b"<x/>", "text/xml", 400),
        (b"", "", 403),
        (b"=&=&=", "", 400),
    ],
)
def test_a_body_that_is_no_form(cloud: Ec2Cloud, body: bytes, kind: str, status: int) -> None:
    answer = raw(cloud, "POST", body=body, kind=kind)
    assert answer.status_int == status
    assert bare(answer.body).tag == "Response"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
def test_other_methods_are_not_served(cloud: Ec2Cloud, method: str) -> None:
    assert raw(cloud, method, body=b"Action=x").status_int == 405


def test_a_defect_of_ours_is_told_without_our_insides(cloud: Ec2Cloud) -> None:
    with cloud.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE security_group_rules")
    answer = cloud.ask("DescribeSecurityGroups")
    assert code_of(answer, status=500) == "InternalError"
    assert not any(word in answer.text for word in (*FORBIDDEN, "security_group_rules"))


def test_control_characters_in_what_is_shown_do_not_break_the_document(cloud: Ec2Cloud) -> None:
    root = cloud.good("RunInstances", ImageId="tiny", ClientToken="t")
    number = int(root.findtext("instancesSet/item/instanceId")[2:], 16)
    with cloud.db.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE instances SET key_name = 'a' || char(1) || '<b>' WHERE id = {number}")
    assert cloud.good("DescribeInstances").findtext(".//keyName") == "a\ufffd<b>"
