# SPDX-License-Identifier: Apache-2.0
"""nova-conductor: serves the Conductor interface, each method by the operation of its name.  Any number may run."""

from __future__ import annotations

from nova.conductor.cloud import Cloud
from nova.conductor.confirm import confirm_resizes
from nova.conductor.operations import (
    begin,
    build,
    create_volume,
    delete,
    finish,
    hosts,
    legs,
    move,
    power_states,
    rebuild,
    unshelve,
)
from nova.conductor.operations.shelve import offload_shelved
from nova.conductor.reclaim import reclaim
from nova.conductor.recovery import Recovery
from nova.conductor.volume_recovery import VolumeRecovery
from nova.context import RequestContext
from nova.db import compute_nodes, guest_metadata, instances, services
from nova.domain.guest_metadata.facts import Facts
from nova.domain.host import GuestReport, HostResources
from nova.domain.instance import Instance
from nova.domain.move import Departed, Progress
from nova.domain.orders import InstanceOrder, OperationReport, UnfinishedOrders
from nova.domain.states import TaskState
from nova.secret import Secret
from nova.workflow.periodic import PeriodicTask


class ConductorService:
    """The implementation of :class:`nova.interfaces.conductor.Conductor`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._recovery = Recovery(cloud)
        self._volume_recovery = VolumeRecovery(cloud)

    def periodic_tasks(self) -> list[PeriodicTask]:
        """What the daemon must call again and again."""
        interval_s = self.cloud.settings.recovery_interval_s
        return [
            PeriodicTask("recovery", interval_s, self._recovery.turn, at_start=True),
            PeriodicTask("volume recovery", interval_s, self._volume_recovery.turn, at_start=True),
            PeriodicTask("offload", self.cloud.settings.reclaim_turn_s, lambda: offload_shelved(self.cloud)),
            PeriodicTask("resizes", self.cloud.settings.confirm_turn_s, lambda: confirm_resizes(self.cloud)),
            PeriodicTask("reclaim", self.cloud.settings.reclaim_turn_s, lambda: reclaim(self.cloud)),
        ]

    def build_instances(
        self, context: RequestContext, *, instance_uuids: tuple[str, ...], admin_password: Secret | None
    ) -> None:
        """See the interface."""
        build.build_instances(self.cloud, context, instance_uuids=instance_uuids, admin_password=admin_password)

    def rebuild_instance(self, context: RequestContext, *, instance_uuid: str, admin_password: Secret | None) -> None:
        """See the interface."""
        rebuild.rebuild_instance(self.cloud, context, instance_uuid=instance_uuid, admin_password=admin_password)

    def unshelve_instance(self, context: RequestContext, *, instance_uuid: str) -> None:
        """See the interface."""
        unshelve.unshelve_instance(self.cloud, context, instance_uuid=instance_uuid)

    def move_instance(self, context: RequestContext, *, operation_id: int) -> None:
        """See the interface."""
        move.move_instance(self.cloud, context, operation_id=operation_id)

    def delete_instance(self, context: RequestContext, *, instance_uuid: str) -> None:
        """See the interface."""
        delete.delete_instance(self.cloud, context, instance_uuid=instance_uuid)

    def create_volume(self, context: RequestContext, *, volume_id: str) -> None:
        """See the interface."""
        create_volume.create_volume(self.cloud, context, volume_id=volume_id)

    def report_progress(
        self, context: RequestContext, *, operation_id: int, host: str, task_state: TaskState, percent: int | None
    ) -> None:
        """See the interface."""
        self.cloud.db.run(
            lambda tx: finish.report_progress(
                tx, operation_id=operation_id, host=host, task_state=task_state, percent=percent
            )
        )

    def report_move(self, context: RequestContext, *, operation_id: int, host: str, progress: Progress) -> None:
        """See the interface."""
        self.cloud.db.run(lambda tx: legs.report_progress(tx, operation_id, host=host, progress=progress))

    def begin_operation(
        self, context: RequestContext, *, operation_id: int, attempt: int, phase: str, host: str
    ) -> bool:
        """See the interface."""
        self.cloud.pause_before_step("begin_operation")
        return self.cloud.db.run(
            lambda tx: begin.begin_operation(tx, operation_id=operation_id, attempt=attempt, phase=phase, host=host)
        )

    def finish_operation(self, context: RequestContext, *, report: OperationReport) -> None:
        """See the interface."""
        finish.finish_operation(self.cloud, context, report)

    def report_host(self, context: RequestContext, *, resources: HostResources) -> None:
        """See the interface."""
        self.cloud.db.run(lambda tx: compute_nodes.report(tx, resources))

    def heartbeat(self, context: RequestContext, *, host: str, binary: str, topic: str) -> None:
        """See the interface."""
        self.cloud.db.run(lambda tx: services.heartbeat(tx, host=host, binary=binary, topic=topic))

    def guest_facts(self, context: RequestContext, *, instance_uuid: str) -> Facts:
        """See the interface."""
        return guest_metadata.load(self.cloud.db, instance_uuid, domain=self.cloud.settings.dhcp_domain)

    def instances_on_host(self, context: RequestContext, *, host: str) -> list[Instance]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: instances.find_on_host(tx, host), write=False)

    def unfinished_orders(self, context: RequestContext, *, host: str) -> UnfinishedOrders:
        """See the interface."""
        return hosts.unfinished_orders(self.cloud, host)

    def deleted_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[Instance]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: hosts.deleted_instances(tx, instance_uuids), write=False)

    def departed_instances(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[Departed]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: hosts.departed_instances(tx, host, instance_uuids), write=False)

    def unknown_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[str]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: hosts.unknown_instances(tx, instance_uuids), write=False)

    def sync_power_states(self, context: RequestContext, *, report: GuestReport) -> list[str]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: power_states.sync_power_states(tx, report))

    def instance_orders(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[InstanceOrder]:
        """See the interface."""
        return self.cloud.db.run(lambda tx: hosts.instance_orders(tx, host, instance_uuids), write=False)
