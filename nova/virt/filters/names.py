# SPDX-License-Identifier: Apache-2.0
"""Names of the chains; iptables takes at most 28 characters, ebtables 31."""

from __future__ import annotations

import uuid

OWNER = "nova-compute"
LOCAL = f"{OWNER}-local"
"""From here each guest's traffic goes to its own chain"""
SOURCE = f"{OWNER}-source"
"""The same for what guests send, in the raw table"""
PROVIDER = f"{OWNER}-provider"
FALLBACK = f"{OWNER}-sg-fallback"
INSTANCE = f"{OWNER}-inst-"
SENDER = f"{OWNER}-src-"
GROUP = f"{OWNER}-grp-"

FRAME_OWNER = "nova-frames"
"""Chains of ebtables"""
FRAME_SOURCE = f"{FRAME_OWNER}-source"
FRAME = f"{FRAME_OWNER}-i-"


def key_of(instance_uuid: str) -> str:
    """Ten hexadecimal digits that stand for the instance in the names of its chains."""
    return uuid.UUID(instance_uuid).hex[:10]


def group_chain(group_id: int) -> str:
    """The chain of a group's members."""
    return f"{GROUP}{int(group_id)}"
