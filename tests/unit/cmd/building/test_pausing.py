# SPDX-License-Identifier: Apache-2.0
"""A daemon under a fault test waits where it was told, and goes on when it is told so."""

from __future__ import annotations

import threading
from pathlib import Path

from nova.cmd.building.pausing import PAUSED, WANTED, WATCHED, pausing
from tests.unit.cmd.served_process import wait_for


def test_it_waits_only_before_the_step_of_its_own_that_is_named(tmp_path: Path) -> None:
    pausing("compute:start", "conductor", tmp_path)("start")
    pausing("compute:start", "compute", tmp_path)("stop")
    pausing(WATCHED, "compute", tmp_path)("start")
    assert not (tmp_path / PAUSED).exists()


def test_what_a_watched_file_names_may_change(tmp_path: Path) -> None:
    (tmp_path / WANTED).write_text("compute:stop\ncompute:start")
    pause = pausing(WATCHED, "compute", tmp_path)
    waiting = threading.Thread(target=pause, args=("start",))
    waiting.start()
    wait_for((tmp_path / PAUSED).exists)
    assert (tmp_path / PAUSED).read_text() == "compute:start\n"
    (tmp_path / WANTED).unlink()
    waiting.join(10)
    assert not waiting.is_alive()
