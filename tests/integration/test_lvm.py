# SPDX-License-Identifier: Apache-2.0
"""The LVM driver with real LVM, through the shipped privilege filters, under a kernel of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration import uml

INSIDE = Path(__file__).with_name("lvm_inside.py")


def test_volumes_are_made_cleared_and_removed_on_a_real_volume_group(tmp_path: Path) -> None:
    code, output = uml.run([sys.executable, str(INSIDE)], directory=tmp_path, disk_mb=3072)
    assert (code, output.split()[-1:]) == (0, ["ok"]), output
