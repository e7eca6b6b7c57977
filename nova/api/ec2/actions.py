# SPDX-License-Identifier: Apache-2.0
"""All actions of the dialect: each module's rows, put together."""

from __future__ import annotations

from nova.api.ec2 import (
    addresses,
    create_image,
    images,
    instances,
    key_pairs,
    places,
    run_instances,
    security_groups,
    tags,
    volumes,
)
from nova.api.ec2.action import Ec2Action

ACTIONS: tuple[Ec2Action, ...] = (
    *run_instances.ACTIONS,
    *instances.ACTIONS,
    *images.ACTIONS,
    *create_image.ACTIONS,
    *key_pairs.ACTIONS,
    *security_groups.ACTIONS,
    *volumes.ACTIONS,
    *addresses.ACTIONS,
    *places.ACTIONS,
    *tags.ACTIONS,
)
