# SPDX-License-Identifier: Apache-2.0
"""Instances: rows, states, metadata, lists."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from nova import errors
from nova.db import instances
from nova.db.engine import Database
from nova.db.instances import InstanceQuery
from nova.domain.states import PowerState, TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action, status_of
from tests.unit.db.contracts.samples import ACTIVE, NEW, add, at_once, moment, read

WIDE = "\N{GRINNING FACE}" * 255


class InstanceRecords:
    """One by one."""

    def test_what_is_inserted_comes_back_the_same(self, db: Database) -> None:
        created = moment(2026, 2, 3, 4, 5, 6, 123456)
        made = add(
            db,
            dataclasses.replace(
                ACTIVE,
                display_name=WIDE,
                user_data="x" * 65535,
                metadata={"k" * 255: WIDE, "Key": "1", "key": "2", "key ": "3"},
                system_metadata={"image_os": "linux"},
                access_ip_v6="2001:db8::1",
                locked=True,
                locked_by="owner",
                created_at=created,
            ),
        )
        assert made.id > 0
        assert read(db, made.uuid) == made
        assert made.created_at == created

    def test_an_instance_of_another_project_is_not_found(self, db: Database) -> None:
        made = add(db)
        with db.transaction(write=False) as tx:
            assert instances.get(tx, made.uuid, project_id="red") == made
            assert instances.get_by_number(tx, made.id, project_id="red") == made
            for project in ("blue", "RED", "red "):
                with pytest.raises(errors.NotFound):
                    instances.get(tx, made.uuid, project_id=project)
            with pytest.raises(errors.NotFound):
                instances.get_by_number(tx, made.id, project_id="blue")
            for number in (0, -1, 2**40):
                with pytest.raises(errors.NotFound):
                    instances.get_by_number(tx, number)

    def test_an_edit_changes_only_what_it_names(self, db: Database) -> None:
        made = add(db, access_ip_v4="192.0.2.9")
        edited = db.run(lambda tx: instances.update(tx, made.uuid, {"display_name": "new", "access_ip_v4": ""}))
        assert (edited.display_name, edited.access_ip_v4) == ("new", "")
        assert dataclasses.replace(edited, display_name="web", access_ip_v4="192.0.2.9", updated_at=None) == (
            dataclasses.replace(made, updated_at=None)
        )
        with pytest.raises(errors.NotFound):
            db.run(lambda tx: instances.update(tx, made.uuid, {"hostname": "h"}, project_id="blue"))

    def test_usage_is_counted_by_user_without_the_deleted(self, db: Database) -> None:
        add(db)
        add(db, user_id="bob")
        gone = add(db)
        db.run(lambda tx: instances.destroy(tx, gone.uuid))
        with db.transaction(write=False) as tx:
            one = {"instances": 1, "cores": 1, "ram": 512}
            assert instances.usage_by_user(tx, "red") == {"ann": one, "bob": one}
            assert instances.usage_by_user(tx, "blue") == {}

    def test_a_purge_takes_only_the_deleted(self, db: Database) -> None:
        kept, gone = add(db, metadata={"a": "b"}), add(db, metadata={"a": "b"})
        db.run(lambda tx: instances.destroy(tx, gone.uuid))
        assert db.run(lambda tx: instances.purge(tx, [kept.uuid, gone.uuid])) == 1
        assert read(db, kept.uuid).metadata == {"a": "b"}
        with pytest.raises(errors.NotFound):
            read(db, gone.uuid, deleted=True)

    def test_what_ran_in_a_month_is_listed_for_usage(self, db: Database) -> None:
        january = add(db, launched_at=moment(2026, 1, 5))
        add(db, launched_at=moment(2026, 3, 5))
        add(db, NEW)
        with db.transaction(write=False) as tx:
            start, end = moment(2026, 1, 1), moment(2026, 2, 1)
            assert [i.uuid for i in instances.active_between(tx, start, end)] == [january.uuid]
            assert instances.active_between(tx, start, end, project_id="blue") == []


class InstanceStates:
    """Along the table of transitions."""

    @pytest.mark.parametrize("action", list(Action))
    def test_begin_agrees_with_the_table_for_every_state(self, db: Database, action: Action) -> None:
        row = TRANSITIONS[action]
        tasks = [None, TaskState.REBOOTING, TaskState.DELETING, TaskState.SPAWNING]
        made = {
            (state, task): add(db, vm_state=state, task_state=task)
            for state in VmState
            for task in tasks
            if state is not VmState.DELETED
        }
        for (state, task), instance in made.items():
            with db.transaction() as tx:
                if row.permits(state, task):
                    instances.begin(tx, instance.uuid, action, project_id="red")
                else:
                    with pytest.raises(errors.InvalidState, match=f"Cannot '{action.recorded_as}' instance"):
                        instances.begin(tx, instance.uuid, action, project_id="red")
            expected = row.during[0] if row.during and row.permits(state, task) else task
            assert read(db, instance.uuid).task_state == expected

    def test_a_refusal_names_action_instance_and_state(self, db: Database) -> None:
        busy = add(db, task_state=TaskState.REBOOTING)
        paused = add(db, vm_state=VmState.PAUSED)
        unlaunched = add(db, launched_at=None)
        homeless = add(db, host="")
        for instance, reason in (
            (busy, "task_state rebooting"),
            (paused, "vm_state paused"),
            (unlaunched, "launched_at None"),
            (homeless, "host None"),
        ):
            with db.transaction() as tx, pytest.raises(errors.InvalidState) as refusal:
                instances.begin(tx, instance.uuid, Action.REBOOT)
            assert refusal.value.message == f"Cannot 'reboot' instance {instance.uuid} while it is in {reason}"

    def test_a_lock_stops_all_but_administrators(self, db: Database) -> None:
        made = add(db)
        db.run(lambda tx: instances.lock(tx, made.uuid, by="owner"))
        with db.transaction() as tx, pytest.raises(errors.InvalidState, match="is locked"):
            instances.begin(tx, made.uuid, Action.REBOOT)
        db.run(lambda tx: instances.begin(tx, made.uuid, Action.REBOOT, ignore_lock=True))
        db.run(lambda tx: instances.unlock(tx, made.uuid))
        assert not read(db, made.uuid).locked

    def test_begin_does_not_see_other_projects(self, db: Database) -> None:
        made = add(db)
        with db.transaction() as tx, pytest.raises(errors.NotFound):
            instances.begin(tx, made.uuid, Action.REBOOT, project_id="blue")
        assert read(db, made.uuid).task_state is None

    def test_of_twenty_that_begin_at_once_one_does(self, db: Database) -> None:
        made = add(db)
        work = [lambda: db.run(lambda tx: instances.begin(tx, made.uuid, Action.REBOOT))] * 20
        outcomes = at_once(work)
        assert outcomes.count(None) == 1
        assert sum(isinstance(outcome, errors.InvalidState) for outcome in outcomes) == 19

    def test_a_build_goes_to_its_end(self, db: Database) -> None:
        made = add(db, NEW)
        with db.transaction() as tx:
            assert instances.assign_host(tx, made.uuid, host="node1", node="n1")
            assert instances.progress(tx, made.uuid, TaskState.SPAWNING, expected=[TaskState.SCHEDULING])
            assert not instances.progress(tx, made.uuid, TaskState.SPAWNING, expected=[TaskState.SCHEDULING])
            assert instances.finish(tx, made.uuid, Action.CREATE, ok=True, power_state=PowerState.RUNNING)
            assert not instances.finish(tx, made.uuid, Action.CREATE, ok=True)
            assert not instances.assign_host(tx, made.uuid, host="node2", node="n2")
        now = read(db, made.uuid)
        assert (now.vm_state, now.task_state, now.power_state) == (VmState.ACTIVE, None, PowerState.RUNNING)
        assert (now.host, now.node, now.launched_at) == ("node1", "n1", tx.now)

    def test_a_failed_build_is_an_error_and_a_failed_stop_changes_nothing(self, db: Database) -> None:
        building = add(db, NEW)
        stopping = add(db, task_state=TaskState.POWERING_OFF)
        with db.transaction() as tx:
            assert instances.finish(tx, building.uuid, Action.CREATE, ok=False)
            assert instances.finish(tx, stopping.uuid, Action.STOP, ok=False)
        assert read(db, building.uuid).vm_state is VmState.ERROR
        assert read(db, building.uuid).launched_at is None
        assert read(db, stopping.uuid).vm_state is VmState.ACTIVE

    def test_the_end_of_a_reboot_leaves_a_delete_alone(self, db: Database) -> None:
        made = add(db)
        with db.transaction() as tx:
            instances.begin(tx, made.uuid, Action.REBOOT)
            instances.begin(tx, made.uuid, Action.DELETE)
            assert not instances.finish(tx, made.uuid, Action.REBOOT, ok=True)
        assert read(db, made.uuid).task_state is TaskState.DELETING

    def test_a_finished_delete_hides_the_row_and_keeps_it(self, db: Database) -> None:
        made = add(db)
        with db.transaction() as tx:
            instances.begin(tx, made.uuid, Action.DELETE)
            assert instances.finish(tx, made.uuid, Action.DELETE, ok=True)
            assert not instances.destroy(tx, made.uuid)
            with pytest.raises(errors.NotFound):
                instances.begin(tx, made.uuid, Action.DELETE)
        gone = read(db, made.uuid, deleted=True)
        assert (gone.vm_state, gone.deleted, gone.terminated_at) == (VmState.DELETED, True, tx.now)
        with pytest.raises(errors.NotFound):
            read(db, made.uuid)

    def test_a_relaunch_keeps_the_first_launch(self, db: Database) -> None:
        made = add(db)
        with db.transaction() as tx:
            instances.begin(tx, made.uuid, Action.REBOOT)
            instances.finish(tx, made.uuid, Action.REBOOT, ok=True)
        assert read(db, made.uuid).launched_at == made.launched_at

    def test_a_server_follows_its_guest_only_without_a_task_and_on_its_host(self, db: Database) -> None:
        idle, busy = add(db), add(db, task_state=TaskState.REBOOTING)
        down = {"power_state": PowerState.SHUTDOWN, "vm_state": VmState.STOPPED}
        with db.transaction() as tx:
            assert not instances.follow_guest(tx, idle.uuid, host="elsewhere", **down)
            assert instances.follow_guest(tx, idle.uuid, host="node1", **down)
            assert not instances.follow_guest(tx, busy.uuid, host="node1", **down)
        assert read(db, idle.uuid).vm_state is VmState.STOPPED
        assert read(db, busy.uuid).vm_state is VmState.ACTIVE


class InstanceMetadata:
    """Within its limit."""

    def test_items_are_merged_replaced_and_removed(self, db: Database) -> None:
        made = add(db, metadata={"a": "1", "b": "2"})
        with db.transaction() as tx:
            assert instances.merge_metadata(tx, made.uuid, {"b": "3", "c": "4"}, limit=3) == {
                "a": "1",
                "b": "3",
                "c": "4",
            }
            assert instances.replace_metadata(tx, made.uuid, {"z": "0", "c": "4"}, limit=3) == {"z": "0", "c": "4"}
            instances.delete_metadata_item(tx, made.uuid, "z")
            with pytest.raises(errors.NotFound):
                instances.delete_metadata_item(tx, made.uuid, "z")
            with pytest.raises(errors.NotFound):
                instances.merge_metadata(tx, made.uuid, {"a": "b"}, limit=3, project_id="blue")
            instances.set_system_metadata(tx, made.uuid, {"image_x": "y" * 70000})
        now = read(db, made.uuid)
        assert now.metadata == {"c": "4"}
        assert now.system_metadata == {"image_x": "y" * 70000}

    def test_no_number_of_small_requests_passes_the_limit(self, db: Database) -> None:
        made = add(db)

        def add_ten(number: int) -> None:
            items = {f"{number}-{item}": "x" for item in range(10)}
            db.run(lambda tx: instances.merge_metadata(tx, made.uuid, items, limit=128))

        outcomes = at_once([lambda n=n: add_ten(n) for n in range(20)])
        assert outcomes.count(None) == 12
        assert sum(isinstance(outcome, errors.QuotaExceeded) for outcome in outcomes) == 8
        assert len(read(db, made.uuid).metadata) == 120


class InstanceSearch:
    """Lists."""

    def found(self, db: Database, **query: object) -> list[str]:
        with db.transaction(write=False) as tx:
            return [instance.display_name for instance in instances.find(tx, InstanceQuery(**query))]

    def test_a_list_shows_the_newest_first_and_pages_without_gaps(self, db: Database) -> None:
        start = moment(2026, 1, 1)
        for number in range(7):
            add(db, display_name=f"s{number}", created_at=start + datetime.timedelta(seconds=number // 2))
        everything = self.found(db, project_id="red")
        assert everything == ["s6", "s5", "s4", "s3", "s2", "s1", "s0"]
        for sort in ((("created_at", "desc"),), (("created_at", "asc"),), (("task_state", "asc"), ("host", "desc"))):
            paged: list[str] = []
            marker = ""
            while True:
                with db.transaction(write=False) as tx:
                    page = instances.find(tx, InstanceQuery(project_id="red", limit=3, marker=marker, sort=sort))
                if not page:
                    break
                paged += [instance.display_name for instance in page]
                marker = page[-1].uuid
            assert paged == self.found(db, project_id="red", sort=sort)
            assert sorted(paged) == sorted(everything)

    def test_filters_narrow_the_scope_and_never_widen_it(self, db: Database) -> None:
        add(db, display_name="mine", metadata={"role": "db"}, image_ref="img", reservation_id="r-1")
        add(db, display_name="theirs", project_id="blue", metadata={"role": "db"})
        assert self.found(db, project_id="red", equal={"project_id": "blue"}) == []
        assert self.found(db, project_id="red", metadata={"role": "db"}) == ["mine"]
        assert self.found(db, metadata={"role": "db"}) == ["theirs", "mine"]
        assert self.found(db, project_id="red", metadata={"role": "web"}) == []
        assert self.found(db, image="img") == ["mine"]
        assert self.found(db, reservation_id="r-1") == ["mine"]
        assert self.found(db, user_id="ann", host="node1", node="node1", project_id="blue") == ["theirs"]
        assert self.found(db, uuids=[]) == []
        assert self.found(db, equal={"vm_state": ["active", "error"]}, project_id="red") == ["mine"]

    def test_a_foreign_marker_is_refused(self, db: Database) -> None:
        foreign = add(db, project_id="blue")
        for query in ({"marker": foreign.uuid}, {"sort": (("user_data", "asc"),)}, {"sort": (("id", "up"),)}):
            with pytest.raises(errors.InvalidInput):
                self.found(db, project_id="red", **query)

    def test_status_words_select_what_shows_them(self, db: Database) -> None:
        shown: dict[str, int] = {}
        for state in VmState:
            for task in (None, TaskState.REBOOTING, TaskState.RESIZE_PREP, TaskState.DELETING):
                add(db, vm_state=state, task_state=task)
                word = status_of(state, task)
                shown[word] = shown.get(word, 0) + 1
        for word, count in shown.items():
            assert len(self.found(db, status=[word])) == count, word
        assert len(self.found(db, status=["active", "REBOOT"])) == shown["ACTIVE"] + shown["REBOOT"]
        assert self.found(db, status=["no-such-word"]) == []

    def test_names_are_searched_by_pattern_and_special_characters_as_they_stand(self, db: Database) -> None:
        for name in ("web-1", "web-22", "db-1", "Web-3", "100%", "a_b", "x'y", "back\\slash", "[box]"):
            add(db, display_name=name)
        for pattern, expected in {
            "web": {"web-1", "web-22"},
            "^web-[0-9]$": {"web-1"},
            "^(web|db)-\\d+$": {"web-1", "web-22", "db-1"},
            "^.*-1.*$": {"web-1", "db-1"},
            "%": {"100%"},
            "_": {"a_b"},
            "'": {"x'y"},
            "\\\\": {"back\\slash"},
            "\\[box\\]": {"[box]"},
            "[]]$": {"[box]"},
            "b-{1,2}[0-9]{2}": {"web-22"},
            "[Ww]eb-[^1]": {"web-22", "Web-3"},
            "nothing": set(),
        }.items():
            assert set(self.found(db, name=pattern)) == expected, pattern
        assert set(self.found(db, matching={"host": "^node\\d$"})) == set(self.found(db))

    def test_what_changed_is_listed_with_the_deleted(self, db: Database) -> None:
        old, gone, new = add(db, display_name="old"), add(db, display_name="gone"), add(db, display_name="new")
        with db.transaction() as tx:
            instances.destroy(tx, gone.uuid)
            instances.update(tx, new.uuid, {"progress": 1})
        assert set(self.found(db, changes_since=tx.now)) == {"gone", "new"}
        assert self.found(db, changes_since=tx.now + datetime.timedelta(microseconds=1)) == []
        assert self.found(db, deleted=True) == ["gone"]
        assert set(self.found(db, deleted=None)) == {old.display_name, "gone", "new"}

    def test_a_list_is_two_statements_whatever_its_length(self, db: Database) -> None:
        with db.transaction() as tx:
            instances.insert(tx, [dataclasses.replace(ACTIVE, metadata={"a": "b"}) for _ in range(50)])
        with db.transaction(write=False) as tx, db.log.recording() as statements:
            assert len(instances.find(tx, InstanceQuery(project_id="red"))) == 50
        assert len(statements) == 2

    def test_a_light_list_leaves_the_heavy_columns_out(self, db: Database) -> None:
        made = add(db, user_data="eA==", key_data="ssh-rsa", system_metadata={"image_a": "b"}, metadata={"a": "b"})
        with db.transaction(write=False) as tx:
            (light,) = instances.find(tx, InstanceQuery())
            (complete,) = instances.find(tx, InstanceQuery(complete=True))
            (on_host,) = instances.find_on_host(tx, "node1")
        assert complete == on_host == made
        assert light == dataclasses.replace(made, user_data="", key_data="", system_metadata={})
