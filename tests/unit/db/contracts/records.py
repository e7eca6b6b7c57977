# SPDX-License-Identifier: Apache-2.0
"""Flavors, operations, faults, block devices."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from nova import errors
from nova.context import RequestContext
from nova.db import block_devices, faults, flavors, operations
from nova.db.engine import Database
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import STOCK_FLAVORS, Flavor
from nova.domain.instance import Fault, StepEvent
from nova.domain.states import OperationState
from nova.domain.transitions import Action
from tests.unit.db.contracts.samples import add, at_once, moment

CONTEXT = RequestContext(request_id="req-1", user_id="ann", project_id="red")
SECRET_FLAVOR = Flavor(flavor_id="s", name="secret", memory_mb=64, vcpus=1, root_gb=0, is_public=False)


class Flavors:
    """Public and private."""

    def names(self, db: Database, **options: object) -> list[str]:
        with db.transaction(write=False) as tx:
            return [flavor.name for flavor in flavors.find(tx, **options)]

    def test_a_private_flavor_is_for_those_with_access(self, db: Database) -> None:
        with db.transaction() as tx:
            flavors.add_missing(tx, STOCK_FLAVORS)
            flavors.add_missing(tx, STOCK_FLAVORS)
            flavors.create(tx, SECRET_FLAVOR)
            flavors.add_access(tx, "s", "red")
            with pytest.raises(errors.AlreadyExists):
                flavors.add_access(tx, "s", "red")
            assert flavors.get_by_flavor_id(tx, "s", project_id="red").name == "secret"
            assert flavors.get_by_name(tx, "secret").flavor_id == "s"
            for missing in ({"flavor_id": "s", "project_id": "blue"}, {"flavor_id": "S"}, {"flavor_id": "s "}):
                with pytest.raises(errors.NotFound):
                    flavors.get_by_flavor_id(tx, **missing)
        assert len(self.names(db)) == 6
        assert "secret" in self.names(db, project_id="red")
        assert "secret" not in self.names(db, project_id="blue")
        assert self.names(db, is_public=False) == ["secret"]
        with db.transaction() as tx:
            assert flavors.access_list(tx, "s") == ["red"]
            flavors.remove_access(tx, "s", "red")
            with pytest.raises(errors.NotFound):
                flavors.remove_access(tx, "s", "red")
        assert "secret" not in self.names(db, project_id="red")

    def test_lists_are_filtered_sorted_and_paged(self, db: Database) -> None:
        with db.transaction() as tx:
            flavors.add_missing(tx, STOCK_FLAVORS)
        assert self.names(db, min_memory_mb=4096, min_root_gb=80) == ["m1.large", "m1.xlarge"]
        assert self.names(db, sort=("memory_mb", "desc"), limit=2) == ["m1.xlarge", "m1.large"]
        assert self.names(db, sort=("memory_mb", "desc"), marker="4", limit=2) == ["m1.medium", "m1.small"]
        for bad in ({"marker": "none"}, {"sort": ("password", "asc")}, {"sort": ("name", "x")}):
            with pytest.raises(errors.InvalidInput):
                self.names(db, **bad)

    def test_names_and_ids_are_unique_among_the_living(self, db: Database) -> None:
        with db.transaction() as tx:
            made = flavors.create(tx, dataclasses.replace(SECRET_FLAVOR, swap_mb=7, rxtx_factor=1.5))
            assert flavors.get_by_flavor_id(tx, "s") == made
            for clash in ({"name": "other"}, {"flavor_id": "other"}):
                with pytest.raises(errors.AlreadyExists):
                    flavors.create(tx, dataclasses.replace(SECRET_FLAVOR, **clash))
            flavors.remove(tx, "s")
            with pytest.raises(errors.NotFound):
                flavors.remove(tx, "s")
            assert flavors.create(tx, SECRET_FLAVOR).id != made.id

    def test_extra_specs_are_set_and_deleted(self, db: Database) -> None:
        with db.transaction() as tx:
            flavors.create(tx, dataclasses.replace(SECRET_FLAVOR, extra_specs={"a": "1"}))
            assert flavors.set_extra_specs(tx, "s", {"a": "2", "b": "3"}) == {"a": "2", "b": "3"}
            assert flavors.get_by_flavor_id(tx, "s").extra_specs == {"a": "2", "b": "3"}
            flavors.delete_extra_spec(tx, "s", "a")
            with pytest.raises(errors.NotFound):
                flavors.delete_extra_spec(tx, "s", "a")
            assert flavors.find(tx)[0].extra_specs == {"b": "3"}


class Operations:
    """The journal."""

    def test_an_operation_is_opened_handed_over_and_ended_once(self, db: Database) -> None:
        one, two = add(db), add(db)
        with db.transaction() as tx:
            first, second = operations.open(
                tx, Action.CREATE, instance_uuids=[two.uuid, one.uuid], context=CONTEXT, arguments={"count": 2}
            )
            assert (first.instance_uuid, second.instance_uuid) == (two.uuid, one.uuid)
            assert (first.state, first.arguments) == (OperationState.REQUESTED, {"count": 2})
            assert operations.hand_to(tx, first.id, host="node1", attempt=2)
        with db.transaction() as tx:
            assert [o.id for o in operations.unfinished_on(tx, "node1")] == [first.id]
            assert [o.id for o in operations.unfinished_of(tx, one.uuid)] == [second.id]
            assert not operations.finish(tx, first.id, ok=True, host="node2")
            assert not operations.touch(tx, first.id, host="node2")
            assert operations.touch(tx, first.id, host="node1")
        end = lambda: db.run(lambda tx: operations.finish(tx, first.id, ok=False, message="x" * 300, host="node1"))  # noqa: E731
        assert sorted(at_once([end] * 6)) == [False] * 5 + [True]
        with db.transaction() as tx:
            ended = operations.get(tx, first.id)
            assert (ended.state, ended.attempt, ended.message) == (OperationState.FAILED, 2, "x" * 255)
            assert ended.finished_at is not None
            assert not operations.hand_to(tx, first.id, host="node1")
            assert operations.unfinished_on(tx, "node1") == []
            assert operations.get_by_request(tx, two.uuid, "req-1") == ended
            assert operations.list_for_instance(tx, two.uuid) == [ended]
            with pytest.raises(errors.NotFound):
                operations.get_by_request(tx, two.uuid, "req-2")
            with pytest.raises(errors.NotFound):
                operations.get(tx, 10**6)

    def test_steps_come_back_in_order(self, db: Database) -> None:
        start = moment(2026, 1, 2, 3, 4, 5, 6)
        steps = [
            StepEvent(name=name, host="node1", started_at=start + datetime.timedelta(microseconds=at), result="Success")
            for at, name in enumerate(("fetch", "plug", "start"))
        ]
        server = add(db)
        with db.transaction() as tx:
            (made,) = operations.open(tx, Action.STOP, instance_uuids=[server.uuid], context=CONTEXT)
            operations.add_events(tx, made.id, steps)
            operations.add_events(tx, made.id, [])
            assert operations.events_of(tx, made.id) == steps

    def test_recovery_finds_what_nobody_heard_of_lately(self, db: Database) -> None:
        server = add(db)
        with db.transaction() as tx:
            (made,) = operations.open(tx, Action.STOP, instance_uuids=[server.uuid], context=CONTEXT)
            soon = tx.now + datetime.timedelta(seconds=1)
            assert [o.id for o in operations.stale(tx, OperationState.REQUESTED, older_than=soon)] == [made.id]
            assert operations.stale(tx, OperationState.RUNNING, older_than=soon) == []
            assert operations.stale(tx, OperationState.REQUESTED, older_than=tx.now) == []


class Faults:
    """The newest is shown."""

    def test_the_newest_fault_of_each_instance_is_found(self, db: Database) -> None:
        one, two, three = add(db), add(db), add(db)
        with db.transaction() as tx:
            faults.add(tx, one.uuid, Fault(code=500, message="first"))
            faults.add(tx, two.uuid, Fault(code=404, message="m" * 300, details="d" * 70000, host="node1"))
            faults.add(tx, one.uuid, Fault(code=500, message="second"))
            latest = faults.latest_for(tx, [one.uuid, two.uuid, three.uuid])
            assert faults.latest_for(tx, []) == {}
        assert latest == {
            one.uuid: Fault(code=500, message="second", created_at=tx.now),
            two.uuid: Fault(code=404, message="m" * 255, details="d" * 70000, host="node1", created_at=tx.now),
        }


class BlockDevices:
    """Which disks a server has."""

    def test_devices_come_and_go(self, db: Database) -> None:
        server = add(db)
        disk = BlockDevice(
            instance_uuid=server.uuid, source_type="volume", destination_type="volume", device_name="/dev/vdb",
            volume_id="vol", boot_index=0, volume_size_gb=5, delete_on_termination=True,
        )  # fmt: skip
        with db.transaction() as tx:
            made = block_devices.add(tx, disk)
            assert made.id > 0
            assert block_devices.for_instance(tx, server.uuid) == [made]
            attached = dataclasses.replace(made, attached=True)
            assert block_devices.update_device(tx, attached)
            assert block_devices.for_volume(tx, "vol") == attached
            assert block_devices.for_instances(tx, [server.uuid, "none"]) == {server.uuid: [attached]}
            assert block_devices.remove(tx, made.id)
            assert not block_devices.remove(tx, made.id)
            assert not block_devices.update_device(tx, attached)
            with pytest.raises(errors.NotFound):
                block_devices.for_volume(tx, "vol")
            block_devices.add_all(tx, [disk, dataclasses.replace(disk, device_name="", volume_id="")])
            assert block_devices.remove_all(tx, server.uuid) == 2

    def test_a_device_name_is_given_once(self, db: Database) -> None:
        server = add(db)
        disk = BlockDevice(
            instance_uuid=server.uuid, source_type="volume", destination_type="volume", device_name="/dev/vdb"
        )
        outcomes = at_once([lambda: db.run(lambda tx: block_devices.add(tx, disk))] * 6)
        assert sum(isinstance(outcome, errors.AlreadyExists) for outcome in outcomes) == 5
