# SPDX-License-Identifier: Apache-2.0
"""A conductor in memory, and a compute host around a fake hypervisor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.compute.settings import ComputeSettings
from nova.context import RequestContext
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.host import GuestReport, HostResources
from nova.domain.instance import Instance
from nova.domain.move import Departed
from nova.domain.orders import BuildOrder, InstanceOrder, OperationReport, UnfinishedOrders
from nova.domain.states import PowerState, VmState
from nova.domain.transitions import MUST_BE_OFF, Action
from nova.errors import NovaError
from nova.interfaces.conductor import Conductor
from nova.virt.fake import FakeDriver, FakeSettings
from nova.virt.filters.noop import NoFilters
from nova.workflow.journal import JournalDirectory

CONTEXT = RequestContext(user_id="u", project_id="p")


def instance(number: int = 1, **changes: Any) -> Instance:
    """A server on host ``a``."""
    values: dict[str, Any] = {
        "id": number,
        "uuid": f"{number:08d}-1111-4111-8111-111111111111",
        "user_id": "u",
        "project_id": "p",
        "display_name": "one",
        "hostname": "one",
        "flavor": STOCK_FLAVORS[0],
        "vm_state": VmState.ACTIVE,
        "host": "a",
    }
    return Instance(**(values | changes))


def order(action: Action, operation_id: int = 7, number: int = 1) -> InstanceOrder:
    """An order for server *number*."""
    return InstanceOrder(operation_id=operation_id, action=action.value, instance=instance(number))


def build(operation_id: int = 7, number: int = 1) -> BuildOrder:
    """An order to build server *number*, without an image."""
    return BuildOrder(order=order(Action.CREATE, operation_id, number), image=None)


class FakeConductor:
    """Remembers what it was told; answers what a test put in."""

    def __init__(self) -> None:
        self.reports: list[OperationReport] = []
        self.refusals: list[NovaError] = []
        """Raised by finish_operation, one after another, before anything is accepted"""
        self.away: list[NovaError] = []
        """Raised by begin_operation, one after another"""
        self.asked: list[int] = []
        self.ended: set[int] = set()
        """Operations that no host may begin with"""
        self.beats: list[str] = []
        self.resources: list[HostResources] = []
        self.guest_reports: list[GuestReport] = []
        self.elsewhere: set[str] = set()
        """Instances that are recorded as being on other hosts"""
        self.on_host: list[Instance] = []
        self.deleted: list[Instance] = []
        self.departed: list[Departed] = []
        self.unfinished = UnfinishedOrders()
        self.orders: list[InstanceOrder] = []

    def begin_operation(
        self, context: RequestContext, *, operation_id: int, attempt: int, phase: str, host: str
    ) -> bool:
        if self.away:
            raise self.away.pop(0)
        self.asked.append(operation_id)
        return operation_id not in self.ended

    def finish_operation(self, context: RequestContext, *, report: OperationReport) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.reports.append(report)

    def heartbeat(self, context: RequestContext, *, host: str, binary: str, topic: str) -> None:
        self.beats.append(binary)

    def report_host(self, context: RequestContext, *, resources: HostResources) -> None:
        self.resources.append(resources)

    def instances_on_host(self, context: RequestContext, *, host: str) -> list[Instance]:
        return self.on_host

    def deleted_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[Instance]:
        return [each for each in self.deleted if each.uuid in instance_uuids]

    def unfinished_orders(self, context: RequestContext, *, host: str) -> UnfinishedOrders:
        return self.unfinished

    def unknown_instances(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> list[str]:
        return [uuid for uuid in instance_uuids if uuid not in self.elsewhere]

    def sync_power_states(self, context: RequestContext, *, report: GuestReport) -> list[str]:
        self.guest_reports.append(report)
        return [each.instance.uuid for each in self.orders if _runs_wrongly(each, report)]

    def departed_instances(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[Departed]:
        return [each for each in self.departed if each.instance.uuid in instance_uuids]

    def instance_orders(
        self, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
    ) -> list[InstanceOrder]:
        return self.orders


def _runs_wrongly(order: InstanceOrder, report: GuestReport) -> bool:
    uuid = order.instance.uuid
    return order.instance.vm_state in MUST_BE_OFF and report.states.get(uuid) is PowerState.RUNNING


class NoImages:
    """No image is ever read."""

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        return iter(())


class ComputeHost:
    """Host ``a`` with its runner."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.driver = FakeDriver(FakeSettings(host="a"))
        self.conductor = FakeConductor()
        self.journals = JournalDirectory(directory / "journal", host="a")
        self.host = Host(
            driver=self.driver,
            filters=NoFilters(),
            conductor=cast(Conductor, self.conductor),
            volume=cast(Any, None),
            peers=cast(Any, None),
            images=NoImages(),
            image_service=cast(Any, None),
            settings=ComputeSettings(host="a", retry_longest_s=0.05, **settings),
        )
        self.runner = self.new_runner()

    def new_runner(self) -> Runner:
        """The runner of a daemon that was just started."""
        return Runner(self.host, self.journals)

    def settled(self) -> list[OperationReport]:
        """The reports, once nothing is in hand."""
        assert self.runner.wait_idle(10)
        return self.conductor.reports


def never() -> threading.Event:
    """Nobody stops us."""
    return threading.Event()
