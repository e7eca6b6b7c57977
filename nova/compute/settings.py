# SPDX-License-Identifier: Apache-2.0
"""What nova-compute is told by its configuration, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.guest_metadata.config_drive import DEFAULT_SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeSettings:
    """Times are in seconds."""

    host: str
    """The name of this host in the database and in queues"""
    resume_guests: bool = False
    """Whether guests that ran before the host went down are started again when it comes back"""
    build_timeout_s: float = 1800.0
    shutdown_timeout_s: float = 60.0
    """How long a guest may take to power off before it is forced"""
    soft_reboot_timeout_s: float = 120.0
    """How long a guest may take to go down for a reboot before its power is cut"""
    max_attempts: int = 3
    """How often an operation that a restart of nova-compute interrupted is run, in all"""
    injects_files: bool = False
    """Whether the hypervisor writes files into images"""
    force_config_drive: bool = False
    """Whether every server has a configuration drive"""
    config_drive_skipped_versions: frozenset[str] = DEFAULT_SKIPPED
    max_concurrent_builds: int = 10
    retry_longest_s: float = 30.0
    """The longest pause between two tries to reach nova-conductor or the hypervisor"""
    undo_patience_s: float = 300.0
    """How long an undo waits for something that is away, before what was to be undone stays as it is"""
    move_report_s: float = 1.0
    """How often the progress of a live migration is reported"""
    move_timeout_s: float = 0.0
    """How long a live migration may take; 0 is as long as it wants"""
    move_timeout_forces: bool = False
    """Whether the guest then waits for the end of its move, instead of staying where it is"""
    resources_interval_s: float = 60.0
    power_state_interval_s: float = 600.0
    event_wait_s: float = 5.0
    """How long one wait for the hypervisor's events lasts; then guests are looked at that could not be before"""
    leftovers_interval_s: float = 600.0
    unfinished_interval_s: float = 60.0
    filters_interval_s: float = 600.0
    image_cache_interval_s: float = 2400.0
    removes_unused_images: bool = True
    image_unused_s: float = 86400.0
    """How long a cached image is kept that no disk rests on"""
    deleted_guest_action: str = "reap"
    """What to do with what deleted servers left here: noop, log, shutdown or reap"""
    deleted_guest_grace_s: float = 0.0
    """How long after its deletion"""
    unknown_guest_action: str = "log"
    """What to do with guests of ours that the database never heard of; the same words"""
