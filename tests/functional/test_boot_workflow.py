# SPDX-License-Identifier: Apache-2.0
"""A boot through API, conductor, scheduler, network and compute, and everything that may come in its way."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from nova.compute.operations.boot import STEPS
from nova.compute.runner import REPORTING
from nova.conductor.service import ConductorService
from nova.db import handover, operations, quotas
from nova.domain.orders import BuildOrder
from nova.domain.states import OperationState, PowerState, VmState
from nova.domain.transitions import Action
from nova.errors import HypervisorError, InvalidImage, NoCapacity
from nova.interfaces.conductor import Conductor
from nova.secret import Secret
from nova.system.outage import Outage
from tests.functional.workflow_cloud import ALICE, GuardedImages, Killed, WorkflowCloud, wait_until

TOKEN = Secret("a-token-of-alice")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    """A cloud with one scheduler and a network host, and no compute host yet."""
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    yield made
    made.close()


def test_a_server_becomes_active_with_an_address_a_guest_and_its_room(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    [uuid] = cloud.boot()
    [server] = cloud.settled(uuid)
    assert (server.vm_state, server.power_state, server.host) == (VmState.ACTIVE, PowerState.RUNNING, "a")
    assert server.launched_at is not None
    assert len(cloud.addresses(uuid)) == 1
    assert cloud.guests() == {uuid: ["a"]}
    assert cloud.used() == {"a": (1, 1024, 1)}
    [created] = cloud.operations(uuid)
    assert created.state is OperationState.FINISHED
    wait_until(lambda: cloud.journals() == [], 5)


def test_a_boot_takes_few_statements_and_messages(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    cloud.settled(*cloud.boot())
    before, sent_before = cloud.db.statements, sum(cloud.sent.values())
    [uuid] = cloud.boot()
    wait_until(lambda: len(cloud.guests()) == 2 and cloud.journals() == [], 10)
    statements, sent = cloud.db.statements - before, sum(cloud.sent.values()) - sent_before
    assert cloud.get(uuid).vm_state is VmState.ACTIVE
    assert statements <= 60
    assert sent <= 10


def test_a_build_that_fails_on_one_host_is_done_on_another(cloud: WorkflowCloud) -> None:
    broken = cloud.add_host("a", memory_mb=64 * 1024)
    cloud.add_host("b", memory_mb=32 * 1024)
    broken.fail("start", HypervisorError("the domain does not start"))
    [uuid] = cloud.boot()
    [server] = cloud.settled(uuid)
    assert (server.vm_state, server.host) == (VmState.ACTIVE, "b")
    assert cloud.guests() == {uuid: ["b"]}
    assert cloud.used() == {"a": (0, 0, 0), "b": (1, 1024, 1)}
    assert broken.disks == {}
    assert len(cloud.addresses(uuid)) == 1


def test_a_build_that_fails_everywhere_ends_in_error_with_the_reason_and_holds_nothing(cloud: WorkflowCloud) -> None:
    for name in "abcd":
        cloud.add_host(name).fail("create_disks", NoCapacity(f"No space left on device of host {name}."))
    [uuid] = cloud.boot()
    [server] = cloud.settled(uuid)
    assert (server.vm_state, server.host) == (VmState.ERROR, "")
    fault = cloud.fault(uuid)
    assert fault is not None
    assert fault.message.startswith(
        "No valid host was found. The build failed on 3 hosts, the last time with: No space"
    )
    assert_nothing_held(cloud)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted


def test_a_build_that_would_fail_anywhere_is_not_tried_again(cloud: WorkflowCloud) -> None:
    for name in "ab":
        cloud.add_host(name).fail("fetch_images", InvalidImage("The image has a backing file."))
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    fault = cloud.fault(uuid)
    assert fault is not None
    assert fault.message == "The image has a backing file."
    assert sum(driver.calls.count("fetch_images") for driver in cloud.drivers.values()) == 1
    assert_nothing_held(cloud)


def test_no_valid_host_comes_with_the_reason_of_each_filter(cloud: WorkflowCloud) -> None:
    cloud.add_host("a", memory_mb=512)
    cloud.add_host("b")
    cloud.silence("b")
    [uuid] = cloud.boot()
    [server] = cloud.settled(uuid)
    assert server.vm_state is VmState.ERROR
    fault = cloud.fault(uuid)
    assert fault is not None
    assert fault.message == "No valid host was found. 2 hosts: ram: 1 (needs 1024 MB), compute: 1 (1 down)."
    assert_nothing_held(cloud)


def test_twenty_boots_in_one_request_on_room_for_fifteen(cloud: WorkflowCloud) -> None:
    cloud.add_host("a", memory_mb=10 * 1024)
    cloud.add_host("b", memory_mb=5 * 1024)
    servers = cloud.settled(*cloud.boot(20))
    assert Counter(server.vm_state for server in servers) == {VmState.ACTIVE: 15, VmState.ERROR: 5}
    for server in servers:
        fault = cloud.fault(server.uuid)
        assert (fault is not None and "No valid host" in fault.message) == (server.vm_state is VmState.ERROR)
    assert cloud.used() == {"a": (10, 10240, 10), "b": (5, 5120, 5)}
    assert len(cloud.guests()) == len(cloud.allocated()) == 15


def test_two_schedulers_at_once_never_promise_the_same_room(cloud: WorkflowCloud) -> None:
    cloud.add_scheduler()
    for name in "abc":
        cloud.add_host(name, memory_mb=5 * 1024)
    with ThreadPoolExecutor(8) as pool:
        uuids = [uuid for made in pool.map(lambda _: cloud.boot(), range(20)) for uuid in made]
    servers = cloud.settled(*uuids)
    assert Counter(server.vm_state for server in servers) == {VmState.ACTIVE: 15, VmState.ERROR: 5}
    assert set(cloud.used().values()) == {(5, 5120, 5)}
    active = [server.uuid for server in servers if server.vm_state is VmState.ACTIVE]
    assert sorted(cloud.claims()) == sorted(cloud.allocated()) == sorted(active)
    assert len({address for uuid in active for address in cloud.addresses(uuid)}) == 15


@pytest.mark.parametrize("step", [*(step.name for step in STEPS), REPORTING])
def test_a_host_daemon_killed_before_any_step_finishes_the_boot_after_its_restart(
    cloud: WorkflowCloud, step: str
) -> None:
    cloud.add_host("a")
    cloud.kill("a")
    reached = threading.Event()
    cloud.start_compute("a", pause_before_step=dying_before(step, reached))
    [uuid] = cloud.boot()
    assert reached.wait(10)
    cloud.kill("a")
    cloud.start_compute("a")
    [server] = cloud.settled(uuid)
    assert server.vm_state is VmState.ACTIVE
    assert cloud.guests() == {uuid: ["a"]}
    assert cloud.drivers["a"].guests[uuid].starts == 1
    assert cloud.claims() == cloud.allocated() == [uuid]
    wait_until(lambda: cloud.journals() == [], 5)


def test_a_boot_that_kills_its_host_daemon_each_time_is_given_up_with_the_step_in_the_fault(
    cloud: WorkflowCloud,
) -> None:
    cloud.add_host("a")
    for _ in range(3):
        cloud.kill("a")
        reached = threading.Event()
        cloud.start_compute("a", pause_before_step=dying_before("start_guest", reached))
        if not cloud.allocated():
            [uuid] = cloud.boot()
        assert reached.wait(10)
    cloud.kill("a")
    cloud.start_compute("a")
    [server] = cloud.settled(uuid)
    assert server.vm_state is VmState.ERROR
    fault = cloud.fault(uuid)
    assert fault is not None
    assert "restarted 3 times" in fault.message
    assert "apply_filters" in fault.message
    wait_until(lambda: cloud.directories() == set(), 5)
    assert_nothing_held(cloud)


def test_an_order_that_comes_twice_is_carried_out_once(cloud: WorkflowCloud) -> None:
    driver = cloud.add_host("a")
    driver.delay("create_disks", 0.2)
    [uuid] = cloud.boot()
    wait_until(lambda: "create_disks" in driver.calls, 10)
    for order in cloud.conductor.unfinished_orders(ALICE, host="a"):
        cloud.api.compute.on("a").build(ALICE, order=cast(BuildOrder, order))
    cloud.settled(uuid)
    assert driver.calls.count("create_disks") == 1
    assert driver.guests[uuid].starts == 1


def test_the_build_message_may_come_twice(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    [uuid] = cloud.boot()
    for _ in range(3):
        cloud.api.conductor.build_instances(ALICE, instance_uuids=(uuid,), admin_password=None)
    cloud.settled(uuid)
    assert cloud.claims() == cloud.allocated() == [uuid]
    assert cloud.drivers["a"].guests[uuid].starts == 1


@pytest.mark.parametrize("step", ["check", "fetch_images", "create_disks", "start"])
def test_a_delete_wins_over_the_build_that_it_meets_on_the_host(cloud: WorkflowCloud, step: str) -> None:
    driver = cloud.add_host("a")
    driver.delay(step, 0.3)
    driver.calls.clear()
    [uuid] = cloud.boot()
    wait_until(lambda: step in driver.calls, 10)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    wait_until(lambda: cloud.guests() == {} and cloud.directories() == set() and cloud.journals() == [], 10)
    assert_nothing_held(cloud)


def test_a_delete_before_a_host_was_chosen_leaves_nothing(tmp_path: Path) -> None:
    cloud = WorkflowCloud(tmp_path)
    try:
        cloud.add_network()
        cloud.add_host("a")
        [uuid] = cloud.boot()
        cloud.delete(uuid)
        assert cloud.settled(uuid)[0].deleted
        cloud.add_scheduler()
        # The delete and the abandoned build each ask nova-network to release.
        wait_until(lambda: cloud.sent["network"] >= 4, 60)
        assert_nothing_held(cloud)
        assert cloud.guests() == {}
        assert cloud.operations(uuid)[-1].state is OperationState.FAILED
    finally:
        cloud.close()


def test_a_build_whose_conductor_died_is_taken_over(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    with patient(cloud, requested_grace_s=0.0, takeover_grace_s=60.0):
        uuid = stuck_in_a_dead_conductor(cloud)
        cloud.conductor.periodic_tasks()[0].run()
        assert cloud.get(uuid).vm_state is VmState.BUILDING
        cloud.age_operations(100)
        for _ in range(2):
            cloud.conductor.periodic_tasks()[0].run()
        [server] = cloud.settled(uuid)
    assert server.vm_state is VmState.ACTIVE
    assert cloud.claims() == cloud.allocated() == [uuid]


def test_a_build_that_recovery_offers_again_reads_its_image_with_a_token_of_the_owner(cloud: WorkflowCloud) -> None:
    with asking_for_tokens(cloud), patient(cloud, requested_grace_s=0.0, takeover_grace_s=60.0):
        cloud.add_host("a")
        uuid = stuck_in_a_dead_conductor(cloud)
        cloud.age_operations(100)
        for _ in range(2):
            cloud.conductor.periodic_tasks()[0].run()
        [server] = cloud.settled(uuid)
    assert (server.vm_state, cloud.fault(uuid)) == (VmState.ACTIVE, None)


def test_a_build_goes_from_a_dead_host_to_another_with_a_token_of_the_owner(cloud: WorkflowCloud) -> None:
    with asking_for_tokens(cloud), patient(cloud, requested_grace_s=0.0, host_grace_s=0.0):
        uuid = stuck_on_a_dead_host(cloud, "a")
        cloud.silence("a")
        cloud.add_host("b")
        cloud.conductor.periodic_tasks()[0].run()
        [server] = cloud.settled(uuid)
    assert (server.vm_state, server.host, cloud.fault(uuid)) == (VmState.ACTIVE, "b", None)


@pytest.mark.parametrize("journal_is_lost", [False, True])
def test_a_restarted_host_goes_on_with_a_token_of_the_owner_and_writes_it_nowhere(
    cloud: WorkflowCloud, *, journal_is_lost: bool
) -> None:
    with asking_for_tokens(cloud):
        uuid = stuck_on_a_dead_host(cloud, "a")
        if journal_is_lost:
            for path in cloud.journals():
                path.unlink()
        reached = threading.Event()
        cloud.start_compute("a", pause_before_step=dying_before("create_disks", reached))
        assert reached.wait(10)
        cloud.kill("a")
        assert all(TOKEN.reveal() not in path.read_text() for path in cloud.journals())
        cloud.start_compute("a")
        [server] = cloud.settled(uuid)
    assert (server.vm_state, cloud.fault(uuid)) == (VmState.ACTIVE, None)


@pytest.mark.parametrize("step", ["take_up", "select_hosts", "allocate", "hand_over", "order"])
def test_a_conductor_killed_before_any_step_of_a_build_leaves_it_to_the_next_one(
    cloud: WorkflowCloud, step: str
) -> None:
    cloud.add_host("a")
    cloud.conductor_server.stop(5)
    [uuid] = cloud.boot()
    dying = dataclasses.replace(cloud.conductor.cloud, pause_before_step=dying_before(step, threading.Event()))
    with pytest.raises(Killed):
        ConductorService(dying).build_instances(ALICE, instance_uuids=(uuid,), admin_password=None)
    cloud.conductor_server = cloud.serve(Conductor, cloud.conductor, host="controller")
    with patient(cloud, requested_grace_s=0.5, takeover_grace_s=1.0):
        wait_until(lambda: recovered(cloud, uuid), 20)
    server = cloud.get(uuid)
    assert server.vm_state is VmState.ACTIVE
    assert cloud.guests() == {uuid: ["a"]}
    assert cloud.drivers["a"].guests[uuid].starts == 1
    assert cloud.claims() == cloud.allocated() == [uuid]
    assert cloud.used() == {"a": (1, 1024, 1)}


def test_a_build_on_a_host_that_dies_goes_to_another_and_the_dead_one_removes_its_part_when_it_returns(
    cloud: WorkflowCloud,
) -> None:
    cloud.add_host("a", memory_mb=64 * 1024)
    cloud.add_host("b", memory_mb=32 * 1024)
    cloud.kill("a")
    reached = threading.Event()
    cloud.start_compute("a", pause_before_step=dying_before("start_guest", reached))
    [uuid] = cloud.boot()
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    with patient(cloud, requested_grace_s=0.0, host_grace_s=0.0):
        cloud.conductor.periodic_tasks()[0].run()
        [server] = cloud.settled(uuid)
    assert (server.vm_state, server.host) == (VmState.ACTIVE, "b")
    assert uuid in cloud.drivers["a"].disks
    cloud.start_compute("a")
    wait_until(lambda: cloud.drivers["a"].disks == {} and cloud.journals() == [], 10)
    assert cloud.guests() == {uuid: ["b"]}
    assert cloud.used() == {"a": (0, 0, 0), "b": (1, 1024, 1)}


def test_right_after_an_outage_no_host_is_thought_dead(cloud: WorkflowCloud) -> None:
    """Of the database or of the broker: no heartbeat could be written."""
    uuid = stuck_on_a_dead_host(cloud, "a")
    cloud.silence("a")
    cloud.db.outage = long_outage()
    with patient(cloud, requested_grace_s=0.0, host_grace_s=0.0):
        cloud.conductor.periodic_tasks()[0].run()
    assert (cloud.get(uuid).vm_state, cloud.get(uuid).host) == (VmState.BUILDING, "a")
    cloud.start_compute("a")
    cloud.silence("a")
    [other] = cloud.boot()
    assert [server.vm_state for server in cloud.settled(uuid, other)] == [VmState.ACTIVE] * 2


def long_outage() -> Outage:
    """Two days that were over just now."""
    began_at = time.monotonic() - 2 * 86400
    moments = [began_at + 30 * number for number in range(2 * 2880 + 1)]
    clock = iter(moments)
    made = Outage(monotonic=lambda: next(clock, time.monotonic()))
    for _ in moments:
        made.note()
    return made


def test_a_server_on_a_dead_host_is_deleted_at_once_and_its_guest_when_the_host_is_back(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    cloud.kill("a")
    cloud.silence("a")
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    wait_until(lambda: cloud.allocated() == [], 10)
    assert cloud.guests() == {uuid: ["a"]}
    daemon = cloud.start_compute("a")
    {task.name: task for task in daemon.periodic_tasks()}["leftovers"].run()
    assert cloud.guests() == {}
    assert_nothing_held(cloud)


def test_a_delete_does_not_wait_for_a_network_daemon_that_is_away(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    assert cloud.network_server is not None
    cloud.network_server.stop(0)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    assert cloud.allocated() == [uuid]
    cloud.add_network()
    wait_until(lambda: cloud.allocated() == [], 10)


def test_stop_start_and_reboots_end_as_the_table_says(cloud: WorkflowCloud) -> None:
    driver = cloud.add_host("a")
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    cloud.stop(uuid)
    [server] = cloud.settled(uuid)
    assert (server.vm_state, server.power_state) == (VmState.STOPPED, PowerState.SHUTDOWN)
    cloud.start(uuid)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    for hard in (False, True):
        cloud.reboot(uuid, hard=hard)
        assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert driver.guests[uuid].state is PowerState.RUNNING
    assert all(each.state is OperationState.FINISHED for each in cloud.operations(uuid))


def test_a_start_that_fails_leaves_the_server_stopped_with_the_reason_in_its_action(cloud: WorkflowCloud) -> None:
    driver = cloud.add_host("a")
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    cloud.stop(uuid)
    cloud.settled(uuid)
    driver.fail("start", HypervisorError("No such bridge."))
    cloud.start(uuid)
    [server] = cloud.settled(uuid)
    assert server.vm_state is VmState.STOPPED
    newest = cloud.operations(uuid)[0]
    assert (newest.state, newest.message) == (OperationState.FAILED, "No such bridge.")


def test_a_delete_gives_back_quota_room_and_address(cloud: WorkflowCloud) -> None:
    cloud.add_host("a")
    uuids = cloud.boot(3)
    cloud.settled(*uuids)
    for uuid in uuids:
        cloud.delete(uuid)
    assert all(server.deleted for server in cloud.settled(*uuids))
    wait_until(lambda: cloud.allocated() == [], 10)
    assert cloud.guests() == {}
    assert_nothing_held(cloud)
    with cloud.db.transaction() as tx:
        usages = quotas.usages(tx, ALICE.project_id, defaults={"instances": -1, "cores": -1, "ram": -1})
    assert {usage.in_use for usage in usages.values()} == {0}


def assert_nothing_held(cloud: WorkflowCloud) -> None:
    """A moment later at most, no room and no address is held by anybody."""
    wait_until(lambda: cloud.claims() == [] and cloud.allocated() == [], 10)
    assert set(cloud.used().values()) == {(0, 0, 0)}


def dying_before(step: str, reached: threading.Event) -> Callable[[str], None]:
    """A hook that lets the daemon be killed before *step*, once it has got there."""

    def hook(name: str) -> None:
        if name == step:
            reached.set()
            raise Killed

    return hook


@contextlib.contextmanager
def asking_for_tokens(cloud: WorkflowCloud) -> Iterator[None]:
    """With hosts that read images with the token that the conductor makes for Alice, and only with that."""
    before, owner = cloud.conductor, (ALICE.user_id, ALICE.project_id)
    cloud.images = GuardedImages(TOKEN)
    cloud.conductor_server.stop(5)
    made = dataclasses.replace(before.cloud, token_of=lambda *of: TOKEN if of == owner else None)
    cloud.conductor = ConductorService(made)
    cloud.conductor_server = cloud.serve(Conductor, cloud.conductor, host="controller")
    yield
    cloud.conductor = before


@contextlib.contextmanager
def patient(cloud: WorkflowCloud, **settings: float) -> Iterator[None]:
    """While recovery waits for other times than usual."""
    before = cloud.conductor
    made = dataclasses.replace(before.cloud, settings=dataclasses.replace(before.cloud.settings, **settings))
    cloud.conductor = ConductorService(made)
    yield
    cloud.conductor = before


def recovered(cloud: WorkflowCloud, uuid: str) -> bool:
    """Let recovery and the host look once; whether nothing is left to be done."""
    cloud.conductor.periodic_tasks()[0].run()
    {task.name: task for task in cloud.daemons["a"].periodic_tasks()}["unfinished orders"].run()
    return cloud.get(uuid).task_state is None


def stuck_on_a_dead_host(cloud: WorkflowCloud, host: str) -> str:
    """A build whose host died before it read the image."""
    cloud.add_host(host)
    cloud.kill(host)
    reached = threading.Event()
    cloud.start_compute(host, pause_before_step=dying_before("fetch_images", reached))
    [uuid] = cloud.boot()
    assert reached.wait(10)
    cloud.kill(host)
    return uuid


def stuck_in_a_dead_conductor(cloud: WorkflowCloud) -> str:
    """A build that a conductor had taken up when it died."""
    cloud.conductor_server.stop(5)
    [uuid] = cloud.boot()
    with cloud.db.transaction() as tx:
        [operation] = operations.requested(tx, Action.CREATE, instance_uuids=[uuid])
        assert handover.take_up(tx, operation)
    cloud.conductor_server = cloud.serve(Conductor, cloud.conductor, host="controller")
    return uuid
