# SPDX-License-Identifier: Apache-2.0
"""The configuration drive of a server that has one: asked for by its owner, by its image, or given to all on this host.

A step of every operation that makes a server's disks.  What stands on the drive is what the metadata service says, read
through nova-conductor, with the administrator's password and the owner's files.
"""

from __future__ import annotations

from nova.compute.operations.work import Work
from nova.domain.guest_metadata.config_drive import files_of
from nova.domain.instance import InjectedFile, Instance
from nova.secret import Secret


def is_wanted(instance: Instance, *, forced: bool) -> bool:
    """Whether the instance has a drive; *forced*: all do."""
    return forced or bool(instance.config_drive)


def write_config_drive(
    work: Work, *, files: tuple[InjectedFile, ...] = (), admin_password: Secret | None = None
) -> None:
    """Make the drive, or make it anew, where one is wanted."""
    settings = work.host.settings
    if not is_wanted(work.instance, forced=settings.force_config_drive):
        return
    facts = work.host.conductor.guest_facts(work.context, instance_uuid=work.instance.uuid)
    work.host.driver.create_config_drive(
        work.instance,
        files_of(
            facts,
            files=files,
            admin_password=admin_password,
            skipped_versions=settings.config_drive_skipped_versions,
        ),
    )
