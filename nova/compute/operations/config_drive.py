# SPDX-License-Identifier: Apache-2.0
"""What a server is given to read at its first start: files written into its image, and its configuration drive.

A drive is asked for by the server's owner or by its image, given to all on this host, or made because files that the
owner gave would not reach the guest otherwise.

A step of every operation that makes a server's disks.  What stands on the drive is what the metadata service says, read
through nova-conductor, with the administrator's password and the owner's files.
"""

from __future__ import annotations

from nova.compute.operations.work import Work
from nova.domain.guest_metadata.config_drive import files_of
from nova.domain.guest_metadata.interfaces_file import interfaces_file
from nova.domain.injection import Injection
from nova.domain.instance import InjectedFile
from nova.secret import Secret


def injection_of(
    work: Work, *, files: tuple[InjectedFile, ...] = (), admin_password: Secret | None = None
) -> Injection:
    """All that could be written into the files of a new root disk."""
    return Injection(
        files=files,
        key=work.instance.key_data,
        admin_password=admin_password,
        network=interfaces_file(work.order.nics),
    )


def write_config_drive(
    work: Work, *, files: tuple[InjectedFile, ...] = (), admin_password: Secret | None = None
) -> None:
    """Make the drive, or make it anew, where one is wanted."""
    settings = work.host.settings
    lost_otherwise = bool(files) and not settings.injects_files
    if not (work.instance.config_drive or settings.force_config_drive or lost_otherwise):
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
