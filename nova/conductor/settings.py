# SPDX-License-Identifier: Apache-2.0
"""What nova-conductor is told by its configuration, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductorSettings:
    """Times are in seconds."""

    max_attempts: int = 3
    """Hosts that a build is tried on in all"""
    down_time_s: float = 60.0
    """A daemon of which nothing was heard for longer counts as down"""
    recovery_interval_s: float = 10.0
    reclaim_interval_s: float = 0.0
    """How long a deleted server can be restored; 0 deletes at once"""
    shelved_offload_s: float = 0.0
    """How long a shelved server stays on its host; negative: for ever"""
    confirm_window_s: float = 0.0
    """How long a resize may be reverted before it is confirmed by itself; 0 is for ever"""
    requested_grace_s: float = 20.0
    """How long an operation may wait for somebody to take it up before it is offered again"""
    takeover_grace_s: float = 180.0
    """How long a conductor may be silent about an operation: more than all calls of a build may take together"""
    host_grace_s: float = 120.0
    """How long a host must be silent before its work is given to others, and a conductor be up before it judges that"""
    build_timeout_s: float = 3600.0
    """How long a host may build in all before the server goes to ERROR"""
    dhcp_domain: str = "novalocal"
    """What follows the host names of servers"""
    max_takeovers: int = 10
    """How often an operation may change hands before it is given up"""

    @property
    def confirm_turn_s(self) -> float:
        """How often somebody looks for resizes whose time is over."""
        return max(1.0, min(60.0, self.confirm_window_s / 4)) if self.confirm_window_s else 3600.0

    @property
    def reclaim_turn_s(self) -> float:
        """How often somebody looks for those whose time is over."""
        return max(1.0, min(60.0, self.reclaim_interval_s / 4)) if self.reclaim_interval_s else 3600.0
