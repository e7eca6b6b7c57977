# SPDX-License-Identifier: Apache-2.0
"""nova-manage volume against the daemons of a cloud."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from nova.cmd.manage import volume
from nova.cmd.manage.frame import find, read
from nova.context import admin_context
from nova.errors import NotFound
from tests.functional.volume_cloud import VolumeCloud
from tests.functional.workflow_cloud import wait_until


class Shell:
    """An operator at a shell of the cloud's controller."""

    def __init__(self, cloud: VolumeCloud) -> None:
        self.db, self.transport, self.context = cloud.db, cloud.transport(), admin_context("a test")
        self.out = io.StringIO()

    def say(self, line: str = "") -> None:
        print(line, file=self.out)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        self.out = io.StringIO()
        action = find(words[0], volume.CATEGORY.actions, what="actions")
        return action.run(cast(Any, self), **read(action, words[1:])) or 0, self.out.getvalue()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[VolumeCloud]:
    made = VolumeCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("a")
    yield made
    made.close()


def attached(cloud: VolumeCloud) -> tuple[str, str]:
    """A server and the volume that it has."""
    server, volume_id = cloud.running(), cloud.new_volume()
    body = {"volumeAttachment": {"volumeId": volume_id}}
    cloud.ok("POST", f"/v2.1/servers/{server}/os-volume_attachments", body)
    cloud.becomes(volume_id, "in-use")
    return server, volume_id


def test_a_volume_is_deleted_whatever_its_status_by_each_of_its_names(cloud: VolumeCloud) -> None:
    for form in ("{id}", "vol-{number:08x}", "volume-{number:08x}", "{number}", "--volume={id}"):
        volume_id = cloud.new_volume()
        cloud.set_volume(volume_id, status="error_deleting")
        found = cloud.volume(volume_id)
        assert found is not None
        assert Shell(cloud).run("delete", form.format(id=volume_id, number=found.ec2_number)) == (0, "")
        cloud.vanishes(volume_id)
    assert cloud.quota_used() == (0, 0)


def test_a_volume_without_a_host_is_removed_with_a_notice(cloud: VolumeCloud) -> None:
    volume_id = cloud.new_volume()
    cloud.set_volume(volume_id, host=None, status="error")
    code, text = Shell(cloud).run("delete", volume_id)
    assert (code, len(text.splitlines())) == (0, 2)
    assert cloud.volume(volume_id) is None
    assert cloud.quota_used() == (0, 0)


def test_a_volume_of_a_server_is_not_deleted(cloud: VolumeCloud) -> None:
    _, volume_id = attached(cloud)
    code, text = Shell(cloud).run("delete", volume_id)
    assert (code, len(text.splitlines())) == (1, 2)
    assert "in-use" in text
    cloud.becomes(volume_id, "in-use")


def test_a_volume_is_attached_once_more(cloud: VolumeCloud) -> None:
    server, volume_id = attached(cloud)
    cloud.drivers["a"].guests[server].volumes.clear()
    cloud.target.exports.clear()
    assert Shell(cloud).run("reattach", volume_id) == (0, "")
    wait_until(lambda: set(cloud.drivers["a"].guests[server].volumes) == {volume_id}, 10)
    assert len(cloud.target.exports) == 1
    cloud.becomes(volume_id, "in-use")


def test_a_volume_without_a_server_cannot_be_attached_once_more(cloud: VolumeCloud) -> None:
    assert Shell(cloud).run("reattach", cloud.new_volume()) == (1, "volume is not attached to an instance\n")


@pytest.mark.parametrize("word", ["no-such", "vol-ffffffff", "4711", "9" * 40, "x" * 500])
def test_a_volume_that_is_not_there_is_not_found(cloud: VolumeCloud, word: str) -> None:
    with pytest.raises(NotFound):
        Shell(cloud).run("delete", word)
