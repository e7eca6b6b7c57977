# SPDX-License-Identifier: Apache-2.0
"""Files written whole, directories that are ours, locks."""

import os
import stat
import threading
from pathlib import Path

import pytest

from nova import errors
from nova.system import files

NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_whole_with_the_wanted_mode(tmp_path: Path) -> None:
    path = tmp_path / "f"
    old = os.umask(0o077)
    try:
        files.write_atomically(path, "one")
        files.write_atomically(path, b"two", mode=0o600)
    finally:
        os.umask(old)
    assert (path.read_bytes(), mode(path)) == (b"two", 0o600)
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "old"
    assert not (tmp_path / "link").is_symlink()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_atomically(tmp_path / "f", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_an_equal_file_is_not_written_again(tmp_path: Path) -> None:
    assert files.write_if_changed(tmp_path / "f", "x")
    before = (tmp_path / "f").stat().st_ino
    assert not files.write_if_changed(tmp_path / "f", "x")
    assert (tmp_path / "f").stat().st_ino == before
    assert files.write_if_changed(tmp_path / "f", "y")


def test_a_directory_is_made_with_its_parents_and_its_mode(tmp_path: Path) -> None:
    assert mode(files.ensure_directory(tmp_path / "a" / "b")) == 0o750
    (tmp_path / "a" / "b").chmod(0o777)
    assert mode(files.ensure_private_directory(tmp_path / "a" / "b")) == 0o700


def test_a_link_or_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(errors.InvalidConfiguration, match="cannot be used"):
            files.ensure_directory(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of somebody else")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    with pytest.raises(errors.InvalidConfiguration, match="belongs to another user"):
        files.ensure_directory(tmp_path / "theirs")


def test_reading_is_bounded_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    assert files.read_small(tmp_path / "f", max_bytes=100) == b"x" * 100
    with pytest.raises(errors.TooLarge):
        files.read_small(tmp_path / "f", max_bytes=99)
    (tmp_path / "link").symlink_to(tmp_path / "f")
    with pytest.raises(OSError, match="symbolic"):
        files.read_small(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        files.read_small(tmp_path / "pipe")


def test_a_lock_keeps_out_other_threads_of_the_same_process(tmp_path: Path) -> None:
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with files.file_lock(tmp_path / "lock"):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with pytest.raises(errors.Timeout), files.file_lock(tmp_path / "lock", timeout_s=0.05):
        pass
    leave.set()
    holder.join()
    with files.file_lock(tmp_path / "lock", timeout_s=1):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root shares locks with another user")
def test_locks_that_root_was_first_to_need_are_shared_with_the_owner_of_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    directory = files.lock_directory(state / "lock")
    with files.file_lock(directory / "iptables.lock"):
        pass
    for name in ("", "iptables.lock"):
        assert (directory / name).stat().st_uid == NOBODY, name
    assert files.lock_directory(state / "lock") == directory


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of somebody else")
def test_locks_of_a_third_user_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "lock"
    directory.mkdir()
    os.chown(directory, NOBODY, NOBODY)
    with pytest.raises(errors.InvalidConfiguration, match="belongs to another user"):
        files.lock_directory(directory)
    directory.rmdir()
    directory.symlink_to("/tmp")
    with pytest.raises(errors.InvalidConfiguration, match="it is something else"):
        files.lock_directory(directory)


def test_a_temporary_directory_is_private_and_goes(tmp_path: Path) -> None:
    with files.temporary_directory(tmp_path) as path:
        assert mode(path) == 0o700
        (path / "x").write_text("x")
    assert not path.exists()


def test_a_file_that_everybody_can_write_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    (tmp_path / "f").chmod(0o644)
    assert not files.writable_by_others(tmp_path / "f")
    (tmp_path / "f").chmod(0o666)
    assert files.writable_by_others(tmp_path / "f")
