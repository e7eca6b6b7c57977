# SPDX-License-Identifier: Apache-2.0
"""What is shown of servers and does not stand in their rows: a constant number of statements for any number."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nova.api.microversion import v
from nova.api.request import ApiRequest
from nova.db import addresses, aggregates, block_devices, faults, security_groups, services
from nova.domain.block_device import BlockDevice
from nova.domain.host import Service
from nova.domain.instance import Fault, Instance
from nova.domain.network import Nic
from nova.domain.states import VmState


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """By instance uuid, and by host; what is not there has no key."""

    nics: Mapping[str, Sequence[Nic]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    volumes: Mapping[str, Sequence[BlockDevice]] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    daemons: Mapping[str, Service] = field(default_factory=dict)
    now: datetime.datetime
    down_time_s: float = 60.0

    def zone_of(self, instance: Instance) -> str:
        """The zone of its host; what was asked for while it is on none."""
        if not instance.host:
            return instance.availability_zone
        return self.zones.get(instance.host, instance.availability_zone)

    def host_status(self, host: str) -> str:
        """UP, DOWN (an administrator says so), MAINTENANCE (disabled), UNKNOWN (not heard of), or empty for no host."""
        if not host:
            return ""
        daemon = self.daemons.get(host)
        if daemon is None:
            return "UNKNOWN"
        if daemon.forced_down:
            return "DOWN"
        if daemon.disabled:
            return "MAINTENANCE"
        return "UP" if daemon.is_up(self.now, down_time_s=self.down_time_s) else "UNKNOWN"


def surroundings(request: ApiRequest, instances: Sequence[Instance]) -> Surroundings:
    """Everything that stands beside *instances*."""
    tx = request.tx
    uuids = [instance.uuid for instance in instances]
    failed = [each.uuid for each in instances if each.vm_state in (VmState.ERROR, VmState.DELETED) or each.deleted]
    hosts = {instance.host for instance in instances if instance.host}
    wants_status = request.version >= v(16) and bool(hosts)
    return Surroundings(
        nics=addresses.nics_of(tx, uuids),
        groups=security_groups.names_of(tx, uuids),
        faults=faults.latest_for(tx, failed),
        volumes=block_devices.volumes_of(tx, uuids),
        zones=aggregates.zones_of_hosts(tx) if hosts else {},
        daemons={daemon.host: daemon for daemon in services.find(tx, binary="nova-compute")} if wants_status else {},
        now=tx.now,
        down_time_s=request.cloud.silence_s(),
    )
