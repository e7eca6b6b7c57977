# SPDX-License-Identifier: Apache-2.0
"""The table of the benchmarks; nothing is measured here."""

from __future__ import annotations

import importlib

import pytest

from bench.__main__ import PARTS
from bench.table import Row, as_rst, as_text

ROWS = [
    Row(what="near the floor", ours=3.0, floor=2.0, unit="ms", at_most_ratio=2),
    Row(what="too slow", ours=300.0, unit="ms", at_most=100),
    Row(what="enough a minute", ours=1068.4, unit="/min", at_least=1020),
    Row(what="only told", ours=0.0222, unit="s"),
]


def test_a_row_is_met_when_all_that_was_wanted_holds() -> None:
    assert [row.met for row in ROWS] == [True, False, True, None]


def test_a_ratio_kept_does_not_excuse_a_time_missed() -> None:
    assert Row(what="both", ours=150, floor=100, unit="ms", at_most_ratio=2, at_most=100).met is False


def test_the_text_lines_up_and_says_what_is_missed() -> None:
    lines = as_text(ROWS).splitlines()
    assert lines[1].split("  ")[0] == "near the floor"
    assert lines[1].endswith("1.50 x  at most 2 x         yes")
    assert lines[2].endswith("at most 100 ms      NO")
    assert "1068 /min" in lines[3]
    assert lines[4].rstrip().endswith("0.0222 s")


def test_the_documentation_has_a_line_for_each_cell() -> None:
    text = as_rst(ROWS)
    assert text.startswith(".. list-table::\n   :header-rows: 1\n\n   * - what\n")
    assert text.count("   * - ") == len(ROWS) + 1
    assert text.count("     - ") + text.count("     -\n") == (len(ROWS) + 1) * 5


@pytest.mark.parametrize("part", ["network", "schedule"])
def test_a_part_gives_rows(part: str) -> None:
    assert part in PARTS
    assert callable(importlib.import_module(f"bench.{part}").rows)
