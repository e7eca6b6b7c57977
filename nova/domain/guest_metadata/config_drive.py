# SPDX-License-Identifier: Apache-2.0
"""The files of a configuration drive: the trees of the metadata service in every version, with what is told only here.

Only here, and never over HTTP: the administrator's password, and the files that the server's owner gave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nova.domain.guest_metadata import ec2_tree, openstack_tree
from nova.domain.guest_metadata.facts import Facts
from nova.domain.instance import InjectedFile
from nova.secret import Secret

LABEL = "config-2"
DEFAULT_SKIPPED = frozenset(ec2_tree.VERSIONS) - {"2009-04-04"}


def files_of(
    facts: Facts,
    *,
    files: Sequence[InjectedFile] = (),
    admin_password: Secret | None = None,
    skipped_versions: Collection[str] = DEFAULT_SKIPPED,
) -> Mapping[str, bytes]:
    """Content by path below the drive's root; the paths are ours, whatever the owner calls his files.

    :param files: what the owner gave
    :param skipped_versions: versions that are left out
    """
    told = openstack_tree.Private(
        contents=openstack_tree.contents_of(facts, files),
        admin_password="" if admin_password is None else admin_password.reveal(),
    )
    found: dict[str, bytes] = {}
    for version in (*openstack_tree.VERSIONS, openstack_tree.LATEST):
        if version not in skipped_versions:
            found |= _openstack(facts, version, told)
    for version in (*ec2_tree.VERSIONS, ec2_tree.LATEST):
        if version not in skipped_versions:
            found |= _ec2(facts, version)
    return found | {f"openstack{content.name}": content.data for content in told.contents}


def _openstack(facts: Facts, name: str, told: openstack_tree.Private) -> dict[str, bytes]:
    version = openstack_tree.version_of(name) or name
    contents = {file: openstack_tree.find(facts, version, file, told=told) for file in openstack_tree.FILES}
    return {f"openstack/{name}/{file}": content for file, content in contents.items() if content is not None}


def _ec2(facts: Facts, version: str) -> dict[str, bytes]:
    user_data = ec2_tree.find(facts, version, ["user-data"])
    found = {f"ec2/{version}/meta-data.json": ec2_tree.as_json(facts, version)}
    return found if user_data is None else found | {f"ec2/{version}/user-data": user_data}
