# SPDX-License-Identifier: Apache-2.0
"""A fresh EC2 API for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.ec2_cloud import Ec2Cloud


@pytest.fixture
def cloud() -> Iterator[Ec2Cloud]:
    made = Ec2Cloud()
    yield made
    made.close()
