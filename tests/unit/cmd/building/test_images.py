# SPDX-License-Identifier: Apache-2.0
"""Where nova-compute reads images from."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.cmd.building.images import FilesFirst
from nova.context import RequestContext
from nova.secret import Secret

IMAGE = "0b9c3c0e-6d51-4f0b-9d52-0f6b0f3f7e11"
NOBODY = 65534


class Remote:
    """The image API, which has other bytes."""

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        return iter([b"over HTTP"])


def context(token: str = "") -> RequestContext:
    return RequestContext(auth_token=Secret(token) if token else None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of somebody else")
def test_the_store_of_another_user_on_the_same_host_is_read(tmp_path: Path) -> None:
    store = tmp_path / "images"
    store.mkdir(mode=0o750)
    (store / IMAGE).write_bytes(b"from the file")
    for path in (store, store / IMAGE):
        os.chown(path, NOBODY, NOBODY)
    assert b"".join(FilesFirst(store, Remote()).read(context(), IMAGE)) == b"from the file"
    assert sorted(path.name for path in store.iterdir()) == [IMAGE]


def test_what_is_not_in_the_store_is_asked_for_with_a_token(tmp_path: Path) -> None:
    reader = FilesFirst(tmp_path, Remote())
    assert b"".join(reader.read(context("token"), IMAGE)) == b"over HTTP"
    with pytest.raises(errors.Unavailable, match="not in the store"):
        reader.read(context(), IMAGE)


def test_a_link_in_the_store_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    store = tmp_path / "images"
    store.mkdir()
    (store / IMAGE).symlink_to(tmp_path / "secret")
    with pytest.raises(errors.Unavailable, match="cannot be read"):
        FilesFirst(store, Remote()).read(context(), IMAGE)
