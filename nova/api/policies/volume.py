# SPDX-License-Identifier: Apache-2.0
"""Rules of the volume API, of the compute API's addresses for volumes, and of attachments.

The operations in nova.api.actions ask for the ``volume:`` rules, whichever door the request came through.
"""

from __future__ import annotations

from nova.api.policies.base import ADMIN, READER, SERVER_USER
from nova.api.policies.rule import Rule

PREFIX = "volume:"
EXTENSION = "volume_extension:"
PROXY = "os_compute_api:os-volumes"
ATTACHMENTS = "os_compute_api:os-volumes-attachments:"

RULES = (
    Rule(f"{PREFIX}get_all", READER, "List volumes."),
    Rule(f"{PREFIX}get", READER, "Show a volume."),
    Rule(f"{PREFIX}get_all:all_tenants", ADMIN, "List the volumes of all projects."),
    Rule(f"{PREFIX}create", SERVER_USER, "Make a volume."),
    Rule(f"{PREFIX}update", SERVER_USER, "Rename a volume, or change its metadata."),
    Rule(f"{PREFIX}delete", SERVER_USER, "Delete a volume."),
    Rule(f"{PREFIX}get_snapshots", READER, "List and show snapshots."),
    Rule(f"{PREFIX}create_snapshot", SERVER_USER, "Make a snapshot."),
    Rule(f"{EXTENSION}types:get", READER, "List and show volume types."),
    Rule(f"{EXTENSION}extensions", READER, "List the extensions."),
    Rule(f"{EXTENSION}limits", READER, "Show limits and what of them is used."),
    Rule(f"{EXTENSION}availability_zones", READER, "List the zones of storage hosts."),
    Rule(f"{EXTENSION}quotas:show", READER, "Show the limits of one's project."),
    Rule(f"{EXTENSION}volume_host_attribute", ADMIN, "See which storage host holds a volume."),
    Rule(f"{EXTENSION}volume_actions:connection", SERVER_USER, "What only the compute service may do with a volume."),
    Rule(f"{EXTENSION}volume_admin_actions:reset_status", ADMIN, "Say what a volume is."),
    Rule(f"{EXTENSION}volume_admin_actions:force_delete", ADMIN, "Delete a volume whatever it is."),
    Rule(f"{EXTENSION}services:index", ADMIN, "List the daemons for volumes."),
    Rule(PROXY, READER, "Reach volumes through the compute API."),
    Rule(f"{ATTACHMENTS}index", READER, "List the volumes of a server."),
    Rule(f"{ATTACHMENTS}show", READER, "Show a volume of a server."),
    Rule(f"{ATTACHMENTS}create", SERVER_USER, "Attach a volume to a server."),
    Rule(f"{ATTACHMENTS}delete", SERVER_USER, "Detach a volume from a server."),
    Rule(f"{ATTACHMENTS}update", ADMIN, "Exchange a volume of a server for another."),
)
