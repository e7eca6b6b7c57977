# SPDX-License-Identifier: Apache-2.0
"""The table of known attacks against the tests that are there: none is forgotten, and none is renamed away."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("known_attacks.toml")
PARTS = {"api", "compute", "console", "disk", "ec2", "ident", "image", "meta", "net", "s3", "secret", "vol"}
KNOWN = 249
"""Rows of the table; it only grows"""
NUMBER = re.compile(r"CVE-\d{4}-\d+|OSSA-\d{4}-\d{3}|OSSN-\d{4}")


@cache
def attacks() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(TABLE.read_text())["attack"]
    return rows


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_no_row_went_away_and_each_is_there_once() -> None:
    ids = [row["id"] for row in attacks()]
    assert len(ids) >= KNOWN
    assert len(set(ids)) == len(ids)


def test_each_row_says_what_is_attacked_and_by_which_test_or_why_by_none() -> None:
    for row in attacks():
        assert set(row) <= {"id", "part", "attack", "tests", "absent", "open"}, row["id"]
        assert row["part"] in PARTS, row["id"]
        assert row["attack"], row["id"]
        assert bool(row.get("tests") or row.get("open")) != bool(row.get("absent")), row["id"]


def test_the_tests_that_rows_name_are_there() -> None:
    known = {path: set(functions(TESTS / path)) for path in {name.partition("::")[0] for name in named()}}
    missing = [name for name in named() if name.partition("::")[2] not in known[name.partition("::")[0]]]
    assert missing == []


def named() -> list[str]:
    return [name for row in attacks() for name in row.get("tests", ())]


def test_a_test_that_claims_an_attack_makes_one_of_the_table() -> None:
    numbers = {number for row in attacks() for number in NUMBER.findall(row["id"])}
    for path in sorted((TESTS / "security").glob("test_*.py")):
        for function in functions(path).values():
            claimed = set(NUMBER.findall(ast.get_docstring(function) or ""))
            assert claimed <= numbers, f"{path.name} {function.name}: {claimed - numbers}"
