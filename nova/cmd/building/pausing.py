# SPDX-License-Identifier: Apache-2.0
"""The hook of fault tests: a daemon waits before a step that an option, or a file, names, and is killed there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

WATCHED = "watched"
"""The value of ``pause_before_step`` with which the file of that name says it, line by line, and may change its mind"""
WANTED = "pause_before_step"
PAUSED = "paused"
"""Below ``state_path``: a line for each time that a daemon has come to such a step"""
LOOK_S = 0.2


def pausing(wanted: str, daemon: str, state_path: Path) -> Callable[[str], None]:
    """What *daemon* calls before each step.

    :param wanted: ``daemon:step``, before which it waits for ever; or WATCHED
    """

    def is_named(line: str) -> bool:
        if wanted != WATCHED:
            return line == wanted
        try:
            return line in (state_path / WANTED).read_text().split()
        except FileNotFoundError:
            return False

    def pause(step: str) -> None:
        line = f"{daemon}:{step}"
        if not is_named(line):
            return
        with (state_path / PAUSED).open("a") as reached:
            reached.write(f"{line}\n")
        while is_named(line):
            time.sleep(LOOK_S)

    return pause
