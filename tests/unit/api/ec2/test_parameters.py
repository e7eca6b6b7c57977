# SPDX-License-Identifier: Apache-2.0
"""From flat names to values."""

from __future__ import annotations

from typing import Any

import pytest

from nova.api.ec2.faults import CODE, Ec2Refusal
from nova.api.ec2.parameters import Flag, Group, Many, Number, Parameter, Text, tree_of, values_of

DECLARED: tuple[Parameter, ...] = (
    Many(Text("Id")),
    Number("Size", least=1, most=10),
    Flag("Force"),
    Group("Place", Text("Zone")),
    Many(Group("Filter", Text("Name", required=True), Many(Text("Value")))),
)


def values(**flat: str) -> dict[str, Any]:
    return values_of(tree_of({name.replace("__", "."): value for name, value in flat.items()}), DECLARED)


def test_members_are_in_the_order_of_their_numbers() -> None:
    assert values(Id__10="ten", Id__2="two", Id__1="one") == {"Id": ["one", "two", "ten"]}


def test_one_member_may_come_without_a_number() -> None:
    assert values(Id="one") == {"Id": ["one"]}


def test_a_single_value_may_come_with_one() -> None:
    assert values(Size__1="5") == {"Size": 5}


@pytest.mark.parametrize("text", ["007", "0777", "0x10", "1.0", "True", "None", "", "true"])
def test_text_stays_text(text: str) -> None:
    assert values(Id__1=text) == {"Id": [text]}


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("TRUE", True), ("False", False)])
def test_a_flag_is_read_in_any_case(text: str, expected: bool) -> None:
    assert values(Force=text) == {"Force": expected}


@pytest.mark.parametrize("text", ["", "0", "11", "1.5", "x", "٣", " 1", "1 ", "1_0", "9" * 5000])
def test_a_number_is_a_number_in_its_bounds(text: str) -> None:
    with pytest.raises(Ec2Refusal):
        values(Size=text)


def test_groups_nest() -> None:
    found = values(Place__Zone="nova", Filter__1__Name="a", Filter__1__Value__2="y", Filter__1__Value__1="x")
    assert found == {"Place": {"Zone": "nova"}, "Filter": [{"Name": "a", "Value": ["x", "y"]}]}


def test_an_error_names_the_place() -> None:
    with pytest.raises(Ec2Refusal, match=r"Filter\.3\.Name") as caught:
        values(Filter__3__Value__1="x")
    assert caught.value.data[CODE] == "MissingParameter"
