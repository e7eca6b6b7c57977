# SPDX-License-Identifier: Apache-2.0
"""The part of the walk over faults that each run does: nova-compute is killed before it reports each operation."""

from __future__ import annotations

import pytest

from nova.compute.runner import REPORTING
from tests.integration.fault_lab import FaultLab
from tests.integration.fault_walk import kill_before
from tests.integration.fault_walk import lab as lab

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]


def test_nova_compute_killed_before_each_report(lab: FaultLab, request: pytest.FixtureRequest) -> None:
    kill_before(lab, frozenset({REPORTING}), request)
