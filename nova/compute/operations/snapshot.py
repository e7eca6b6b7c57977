# SPDX-License-Identifier: Apache-2.0
"""Snapshot and backup: copy a server's root disk as it is at one moment, and upload the copy as an image.

Run in nova-compute on the server's host; the guest goes on with whatever it does.  When it fails, the copy and the
image are removed, and the server stays what it was.  An upload that was broken off is made again from the same copy.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nova.compute.operations.work import Work, progress_teller, tell
from nova.domain.image import Image
from nova.domain.orders import SnapshotOrder
from nova.domain.states import TaskState
from nova.domain.transitions import Action
from nova.errors import Forbidden, InvalidInput, InvalidState, NotFound, Unavailable
from nova.image.protocol import ImageFilters, ImageUpdate
from nova.virt.driver import DiskCopy
from nova.workflow.steps import Step

LOG = logging.getLogger(__name__)

UPLOAD_TRIES = 5
PAUSE_S = 1.0
RECEPTIVE_S = 60.0
"""How long to wait until the image service has noticed the end of an upload that was broken off"""
COPIED = 50
"""Percent of the whole that is done when the disk is copied"""


TASKS: dict[Action, tuple[TaskState, TaskState, TaskState]] = {
    Action.CREATE_IMAGE: (TaskState.IMAGE_SNAPSHOT, TaskState.IMAGE_PENDING_UPLOAD, TaskState.IMAGE_UPLOADING),
    Action.SHELVE: (
        TaskState.SHELVING,
        TaskState.SHELVING_IMAGE_PENDING_UPLOAD,
        TaskState.SHELVING_IMAGE_UPLOADING,
    ),
    Action.CREATE_BACKUP: (TaskState.IMAGE_BACKUP, TaskState.IMAGE_BACKUP, TaskState.IMAGE_BACKUP),
}
"""What users see while the disk is copied, when it is copied, and while the copy is uploaded"""


@dataclass(slots=True, kw_only=True)
class Snapshot(Work):
    """One snapshot."""

    snapshot: SnapshotOrder
    finished: bool = False
    """Whether the image had its bytes before this run of the steps began"""
    copy: DiskCopy | None = None

    @property
    def image(self) -> Image:
        """What is written; InvalidInput when the order has none."""
        if self.snapshot.image is None:
            raise InvalidInput("A snapshot needs an image to write.")
        return self.snapshot.image

    @property
    def tasks(self) -> tuple[TaskState, TaskState, TaskState]:
        """The row of TASKS."""
        return TASKS[Action(self.order.action)]

    @property
    def disk(self) -> DiskCopy:
        """The copy that this run of the steps has made."""
        if self.copy is None:
            raise InvalidState("The server's disk has not been copied yet.")
        return self.copy


def find_image(work: Snapshot) -> None:
    """See that the image, if there is one, waits for its bytes, or has them from a run that was interrupted."""
    work.finished = work.snapshot.image is None or _status(work) == "active"


def delete_image(work: Snapshot) -> None:
    """Remove the image, half uploaded or not begun."""
    if work.snapshot.image is None:
        return
    try:
        work.host.image_service.delete(work.context, work.image.id)
    except NotFound:
        LOG.debug("The image %s is gone already.", work.image.id)


def copy_disk(work: Snapshot) -> None:
    """Make the copy."""
    if work.finished:
        return
    copying, _, _ = work.tasks
    tell(work, copying, percent=0)
    on_progress = progress_teller(work, copying, first=0, last=COPIED)
    work.copy = work.host.driver.copy_root_disk(work.instance, name=work.image.id, on_progress=on_progress)


def drop_copy(work: Snapshot) -> None:
    """Remove the copy."""
    work.host.driver.drop_disk_copies(work.instance)


def describe_image(work: Snapshot) -> None:
    """Tell the image service what kind of bytes are coming."""
    if work.finished:
        return
    _, copied, _ = work.tasks
    tell(work, copied, percent=COPIED)
    form = ImageUpdate(disk_format=work.disk.disk_format, container_format="bare")
    work.host.image_service.update(work.context, work.image.id, form)


def upload_image(work: Snapshot) -> None:
    """Send the copy; what breaks off is sent again, as often as makes sense."""
    _, _, uploading = work.tasks
    if not work.finished:
        tell(work, uploading, percent=COPIED)
    for last in (*[False] * (UPLOAD_TRIES - 1), True):
        if work.finished:
            return
        try:
            _send(work)
        except Unavailable as exc:
            if last:
                raise
            LOG.warning("The upload of image %s broke off and is tried again: %s", work.image.id, exc)
            time.sleep(PAUSE_S)
            _wait_until_receptive(work)
        else:
            work.finished = True


def delete_old_backups(work: Snapshot) -> None:
    """Once the backup is recorded as done, keep only the newest ones of its type."""
    if work.snapshot.rotation is None:
        return
    for image in _backups(work)[work.snapshot.rotation :]:
        try:
            work.host.image_service.delete(work.context, image.id)
        except (NotFound, Forbidden) as exc:
            LOG.warning("The old backup %s of server %s stays: %s", image.id, work.instance.uuid, exc)


def _backups(work: Snapshot) -> list[Image]:
    """The server's backups of the order's type, newest first."""
    wanted = {
        "image_type": "backup",
        "backup_type": work.snapshot.backup_type,
        "instance_uuid": work.instance.uuid,
    }
    filters = ImageFilters(owner=work.instance.project_id, properties=wanted)
    found = work.host.image_service.find(work.context, filters=filters)
    mine = [image for image in found if wanted.items() <= image.properties.items() and image.status == "active"]
    return sorted(mine, key=lambda image: (str(image.created_at), image.id), reverse=True)


def _send(work: Snapshot) -> None:
    copy = work.disk
    _, _, uploading = work.tasks
    on_progress = progress_teller(work, uploading, first=COPIED, last=100)
    chunks = _counted(work.host.driver.read_disk_copy(work.instance, copy), copy.size_bytes, on_progress)
    work.host.image_service.upload(work.context, work.image.id, chunks, size_bytes=copy.size_bytes)


def _counted(chunks: Iterator[bytes], size_bytes: int, on_progress: Callable[[float], None]) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        on_progress(sent / size_bytes)
        sent += len(chunk)
        yield chunk


def _status(work: Snapshot) -> str:
    return work.host.image_service.get(work.context, work.image.id).status


def _wait_until_receptive(work: Snapshot) -> None:
    """Until the image service takes bytes again, or turns out to have them all."""
    deadline = time.monotonic() + RECEPTIVE_S
    while True:
        work.control.check("between two uploads")
        status = _look(work)
        if status == "active":
            work.finished = True
        if status in ("active", "queued"):
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"The image service does not take the bytes of image {work.image.id} (it is {status}).")
        time.sleep(PAUSE_S)


def _look(work: Snapshot) -> str:
    try:
        return _status(work)
    except Unavailable as exc:
        LOG.debug("The image service is still away: %s", exc)
        return "not known"


def prepare_upload(work: Snapshot) -> None:
    """After a restart the image service may still believe in the upload that was cut off."""
    if not work.finished:
        _wait_until_receptive(work)


IMAGE_STEPS: list[Step[Snapshot]] = [
    Step(find_image, undo=delete_image),
    Step(copy_disk, undo=drop_copy),
    Step(prepare_upload),
    Step(describe_image),
    Step(upload_image),
    Step(drop_copy),
]
