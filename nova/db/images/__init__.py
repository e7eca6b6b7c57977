# SPDX-License-Identifier: Apache-2.0
"""Repository of images: descriptions, uploads with their claims on quota, sharing, and the numbers that EC2 uses."""

from nova.db.images.records import Changes, create, get, lock, mark_deleted, set_properties, set_tags, update
from nova.db.images.search import Query, find

__all__ = [
    "Changes",
    "Query",
    "create",
    "find",
    "get",
    "lock",
    "mark_deleted",
    "set_properties",
    "set_tags",
    "update",
]
