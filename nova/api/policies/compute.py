# SPDX-License-Identifier: Apache-2.0
"""Rules of the compute API; EC2 asks for the same ones."""

from __future__ import annotations

from nova.api.policies.base import READER
from nova.api.policies.rule import Rule

_PREFIX = "os_compute_api:"

RULES = (Rule(f"{_PREFIX}extensions", READER, "List the extensions."),)
