# SPDX-License-Identifier: Apache-2.0
"""Every policy rule with its default and what it guards, a module for each API; ALL_RULES is what is registered."""

from __future__ import annotations

from nova.api.policies import base, compute, identity, image, volume
from nova.api.policies.rule import Rule

ALL_RULES: tuple[Rule, ...] = base.RULES + compute.RULES + identity.RULES + image.RULES + volume.RULES
