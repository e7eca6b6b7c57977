# SPDX-License-Identifier: Apache-2.0
"""Repository of volumes: their rows, the guarded changes of their status, exports to hosts, room on volume hosts."""

from nova.db.volumes.capacities import capacities, report_capacity
from nova.db.volumes.endings import forget, stale, touch
from nova.db.volumes.exports import Export, add_export, export_of, exports_on, remove_export
from nova.db.volumes.records import VolumeQuery, create, find, for_instances, get, get_by_number, remove, update
from nova.db.volumes.states import (
    attached,
    begin_attach,
    begin_delete,
    begin_detach,
    created,
    detached,
    fail,
    release_all,
    reset_status,
    take_host,
    unfinished_on,
)

__all__ = [
    "Export",
    "VolumeQuery",
    "add_export",
    "attached",
    "begin_attach",
    "begin_delete",
    "begin_detach",
    "capacities",
    "create",
    "created",
    "detached",
    "export_of",
    "exports_on",
    "fail",
    "find",
    "for_instances",
    "forget",
    "get",
    "get_by_number",
    "release_all",
    "remove",
    "remove_export",
    "report_capacity",
    "reset_status",
    "stale",
    "take_host",
    "touch",
    "unfinished_on",
    "update",
]
