# SPDX-License-Identifier: Apache-2.0
"""What a policy rule is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its public name, who may by default (in oslo.policy's language), and what it guards."""

    name: str
    check: str
    description: str
