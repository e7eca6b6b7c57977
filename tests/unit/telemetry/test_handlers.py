# SPDX-License-Identifier: Apache-2.0
"""Handlers of log lines that hold no lock."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.telemetry import handlers
from nova.telemetry.handlers import FileHandler

LOG = logging.getLogger("nova.tests.handlers")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


@pytest.fixture
def handler(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileHandler]:
    monkeypatch.setattr(handlers, "LOOK_INTERVAL_S", 0.0)
    made = FileHandler(path, 0o640)
    LOG.addHandler(made)
    LOG.propagate = False
    yield made
    LOG.removeHandler(made)
    LOG.propagate = True
    made.close()


def test_a_new_file_has_its_mode_whatever_the_umask_is(path: Path) -> None:
    before = os.umask(0o077)
    try:
        FileHandler(path, 0o644).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_there_keeps_its_mode_and_its_lines(path: Path) -> None:
    path.write_text("old\n")
    path.chmod(0o600)
    made = FileHandler(path, 0o644)
    made.emit(LOG.makeRecord("x", logging.INFO, __file__, 1, "new", (), None))
    made.close()
    assert path.read_text() == "old\nnew\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_moved_away_is_made_anew(handler: FileHandler, path: Path) -> None:
    LOG.warning("one")
    path.rename(path.with_suffix(".1"))
    LOG.warning("two")
    assert path.with_suffix(".1").read_text() == "one\n"
    assert path.read_text() == "two\n"


def test_lines_of_many_threads_stay_whole(handler: FileHandler, path: Path) -> None:
    def work(letter: str) -> None:
        for _ in range(200):
            LOG.warning("%s", letter * 300)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert len(lines) == 800
    assert all(line in {letter * 300 for letter in "abcd"} for line in lines)


def test_a_line_that_utf_8_cannot_carry_is_logged_with_escapes(handler: FileHandler, path: Path) -> None:
    handler.handle(logging.makeLogRecord({"msg": "half a pair: \ud800"}))
    assert path.read_text() == "half a pair: \\ud800\n"


def test_a_line_that_cannot_be_written_does_not_stop_the_work(
    handler: FileHandler, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.unlink()
    path.parent.rmdir()
    LOG.warning("lost")
    assert "Logging error" in capsys.readouterr().err
    path.parent.mkdir()
