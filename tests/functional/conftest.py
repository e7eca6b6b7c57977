# SPDX-License-Identifier: Apache-2.0
"""The table of fault walks at the end of a run."""

from typing import Any

import pytest

pytest.register_assert_rewrite("tests.functional.invariants", "tests.faults.endings")

from tests.faults import matrix  # noqa: E402 - after the line before


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the process that prints: each test's report comes by here."""
    matrix.collect(report)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """After the last test."""
    matrix.show(terminalreporter)
