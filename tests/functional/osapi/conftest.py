# SPDX-License-Identifier: Apache-2.0
"""A fresh compute API for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.compute_cloud import ComputeCloud


@pytest.fixture
def cloud() -> Iterator[ComputeCloud]:
    made = ComputeCloud()
    yield made
    made.close()
