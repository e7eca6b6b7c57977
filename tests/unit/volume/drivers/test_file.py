# SPDX-License-Identifier: Apache-2.0
"""Volumes as files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import NoCapacity, Unavailable
from nova.volume.drivers.file import GB, FileDriver

VOLUME = Volume(
    id="44444444-4444-4444-8444-444444444444",
    user_id="alice",
    project_id="apples",
    size_gb=1,
    status=VolumeStatus.CREATING,
)


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_volume_is_a_sparse_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    driver = FileDriver(tmp_path / "volumes")
    driver.create(VOLUME)
    path = driver.path(VOLUME)
    assert path.stat().st_size == GB
    assert path.stat().st_blocks == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_making_a_volume_again_keeps_what_is_in_it(tmp_path: Path) -> None:
    driver = FileDriver(tmp_path)
    driver.create(VOLUME)
    with driver.path(VOLUME).open("r+b") as file:
        file.write(b"kept")
    driver.create(VOLUME)
    assert driver.path(VOLUME).read_bytes()[:4] == b"kept"


def test_a_deleted_volume_is_gone_and_may_be_deleted_again(tmp_path: Path) -> None:
    driver = FileDriver(tmp_path)
    driver.create(VOLUME)
    driver.delete(VOLUME)
    driver.delete(VOLUME)
    assert list(tmp_path.iterdir()) == []


def test_what_volumes_may_still_grow_is_not_free(tmp_path: Path) -> None:
    driver = FileDriver(tmp_path)
    before = driver.capacity()[1]
    driver.create(VOLUME)
    assert before - driver.capacity()[1] == pytest.approx(1, abs=0.2)


def test_a_volume_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoCapacity, match="no room"):
        FileDriver(tmp_path).create(Volume(**{**_fields(), "size_gb": 2**30}))
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_volumes_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    driver = FileDriver(tmp_path / "volumes")
    driver.check()
    driver.path(VOLUME).symlink_to(victim)
    with pytest.raises(NoCapacity):
        driver.create(VOLUME)
    assert victim.read_bytes() == b"precious"


def test_a_directory_that_cannot_be_made_is_named_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="volumes_dir"):
        FileDriver(tmp_path / "file" / "volumes").check()


def _fields() -> dict[str, object]:
    return {name: getattr(VOLUME, name) for name in ("id", "user_id", "project_id", "size_gb", "status")}
