# SPDX-License-Identifier: Apache-2.0
"""What the system metadata of a shelved instance says."""

from __future__ import annotations

from nova.domain.instance import Instance

SHELVED_AT = "shelved_at"
SHELVED_IMAGE = "shelved_image_id"


def shelved_image_of(instance: Instance) -> str:
    """The image that the root disk of a shelved instance is kept as; empty where there is none."""
    return instance.system_metadata.get(SHELVED_IMAGE, "")
