# SPDX-License-Identifier: Apache-2.0
"""Repository of instances: rows, searches, state changes, metadata.  What changes a row needs a write transaction."""

from nova.db.instances.metadata import (
    add_system_metadata,
    delete_metadata_item,
    merge_metadata,
    replace_metadata,
    set_system_metadata,
)
from nova.db.instances.records import (
    InstanceChanges,
    active_between,
    destroyed_before,
    find_on_host,
    get,
    get_by_number,
    get_many,
    insert,
    purge,
    update,
    usage_by_user,
)
from nova.db.instances.search import SORT_KEYS, InstanceQuery, find
from nova.db.instances.states import (
    assign_host,
    begin,
    destroy,
    ensure_allowed,
    finish,
    follow_guest,
    lock,
    progress,
    reset_state,
    unlock,
)

__all__ = [
    "SORT_KEYS",
    "InstanceChanges",
    "InstanceQuery",
    "active_between",
    "add_system_metadata",
    "assign_host",
    "begin",
    "delete_metadata_item",
    "destroy",
    "destroyed_before",
    "ensure_allowed",
    "find",
    "find_on_host",
    "finish",
    "follow_guest",
    "get",
    "get_by_number",
    "get_many",
    "insert",
    "lock",
    "merge_metadata",
    "progress",
    "purge",
    "replace_metadata",
    "reset_state",
    "set_system_metadata",
    "unlock",
    "update",
    "usage_by_user",
]
