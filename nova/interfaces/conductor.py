# SPDX-License-Identifier: Apache-2.0
"""What may be asked of nova-conductor: work that spans hosts, and the database for hosts that hold no password."""

from __future__ import annotations

from nova.context import RequestContext
from nova.domain.guest_metadata.facts import Facts
from nova.domain.host import GuestReport, HostResources
from nova.domain.instance import Instance
from nova.domain.move import Departed, Progress
from nova.domain.orders import InstanceOrder, OperationReport, UnfinishedOrders
from nova.domain.states import TaskState
from nova.rpc.interface import Interface, call, cast
from nova.secret import Secret


class Conductor(Interface):
    """Builds, and the record of what compute hosts do."""

    topic = "conductor"
    version = "1.0"
    carries_token = True

    @cast
    def build_instances(
        self, context: RequestContext, *, instance_uuids: tuple[str, ...], admin_password: Secret | None
    ) -> None:
        """Schedule, give addresses to and start the recorded instances (alike, of one request)."""
        ...

    @cast
    def rebuild_instance(self, context: RequestContext, *, instance_uuid: str, admin_password: Secret | None) -> None:
        """Have an instance's host make it anew, if the scheduler's filters let it stay there with its new image."""
        ...

    @cast
    def unshelve_instance(self, context: RequestContext, *, instance_uuid: str) -> None:
        """Find a host for a server that is on none, and have it started there from the image that it is kept as."""
        ...

    @cast
    def move_instance(self, context: RequestContext, *, operation_id: int) -> None:
        """Find and claim a host for the recorded move (resize, migration, evacuation), and begin with it."""
        ...

    @cast
    def delete_instance(self, context: RequestContext, *, instance_uuid: str) -> None:
        """Delete an instance whose host is not known or not alive; with a host that is alive the API asks the host."""
        ...

    @cast
    def create_volume(self, context: RequestContext, *, volume_id: str) -> None:
        """Find a nova-volume host for the recorded volume and have it made there; one that has a host is left alone."""
        ...

    @cast
    def report_progress(
        self, context: RequestContext, *, operation_id: int, host: str, task_state: TaskState, percent: int | None
    ) -> None:
        """The operation has come to *task_state*, and *percent* of it are done where that can be said.

        Ignored unless the operation is still in hand on *host*.
        """
        ...

    @call(timeout_s=30)
    def begin_operation(
        self, context: RequestContext, *, operation_id: int, attempt: int, phase: str, host: str
    ) -> bool:
        """Whether *host* may begin with the order of that attempt and leg: no step runs before that is known.

        False for an order that is out of date: the operation has ended, or is in other hands, or at another attempt.
        Asking twice does no harm.
        """
        ...

    @cast
    def report_move(self, context: RequestContext, *, operation_id: int, host: str, progress: Progress) -> None:
        """What of a running guest was copied so far; ignored unless its move is in hand on *host*."""
        ...

    @call(timeout_s=60)
    def finish_operation(self, context: RequestContext, *, report: OperationReport) -> None:
        """Record the end of an operation and do what follows from it (end state, retry elsewhere, release).

        Reporting twice does no harm.  Refused (Forbidden) when the operation is not in the hands of ``report.host``,
        or is at another attempt.
        """
        ...

    @call(timeout_s=30)
    def report_host(self, context: RequestContext, *, resources: HostResources) -> None:
        """Record what a compute host has."""
        ...

    @call(timeout_s=30)
    def heartbeat(self, context: RequestContext, *, host: str, binary: str, topic: str) -> None:
        """The daemon *binary* on *host* is alive."""
        ...

    @call(timeout_s=60)
    def guest_facts(self, context: RequestContext, *, instance_uuid: str) -> Facts:
        """All that a server is told about itself, for its configuration drive; NotFound when it is gone."""
        ...

    @call(timeout_s=60)
    def instances_on_host(self, context: RequestContext, *, host: str) -> list[Instance]:
        """All instances that belong on *host* and are not deleted."""
        ...

    @call(timeout_s=60)
    def unfinished_orders(self, context: RequestContext, *, host: str) -> UnfinishedOrders:
        """The orders that were handed to *host* and whose end was never reported; builds with a token of the owner."""
        ...

    @call(timeout_s=60)
    def deleted_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[Instance]:
        """Those of *instance_uuids* that are on no host: deleted, or shelved with nothing being done to them.

        One that was never recorded is not among them.
        """
        ...

    @call(timeout_s=60)
    def departed_instances(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[Departed]:
        """Those of *instance_uuids* that live on another host, and of which *host* has nothing to keep for a move."""
        ...

    @call(timeout_s=60)
    def unknown_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[str]:
        """Those of *instance_uuids* of which there is no record, neither living nor deleted."""
        ...

    @call(timeout_s=60)
    def sync_power_states(self, context: RequestContext, *, report: GuestReport) -> list[str]:
        """What guests of a host do now; a server without a task follows its guest (``domain.transitions.FOLLOWS``).

        What comes back are the instances whose guests run and must not.
        """
        ...

    @call(timeout_s=60)
    def instance_orders(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[InstanceOrder]:
        """All that *host* must know to start or to filter the named instances of it, or all of its instances.

        They belong to no operation: their ``operation_id`` is 0, and nothing is reported about them.
        """
        ...
