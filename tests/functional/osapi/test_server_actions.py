# SPDX-License-Identifier: Apache-2.0
"""POST /servers/{id}/action, metadata, addresses and instance actions."""

from __future__ import annotations

from typing import Any

import pytest

from nova.api.actions import server_password
from nova.db import instances, operations
from nova.domain.instance import StepEvent
from nova.errors import InvalidState, NotFound, NotSupported, NovaError, Unavailable
from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud


def act(cloud: ComputeCloud, uuid: str, action: Any, *, status: int = 202, **options: Any) -> Any:
    answer = cloud.call("POST", f"/servers/{uuid}/action", action, **options)
    assert answer.status_int == status, answer.text
    return answer.json if answer.body else None


@pytest.mark.parametrize(
    ("state", "action", "task", "method"),
    [
        ("active", {"reboot": {"type": "SOFT"}}, "rebooting", "reboot"),
        ("stopped", {"reboot": {"type": "hard"}}, "rebooting_hard", "reboot_hard"),
        ("active", {"os-stop": None}, "powering-off", "stop"),
        ("stopped", {"os-start": {}}, "powering-on", "start"),
        ("rescued", {"unrescue": None}, "unrescuing", "unrescue"),
        ("active", {"pause": None}, "pausing", "pause"),
        ("paused", {"unpause": None}, "unpausing", "unpause"),
        ("active", {"suspend": None}, "suspending", "suspend"),
        ("soft-delete", {"restore": {}}, "restoring", "restore"),
        ("suspended", {"resume": None}, "resuming", "resume"),
    ],
)
def test_an_action_sets_the_task_and_goes_to_the_host(
    cloud: ComputeCloud, state: str, action: Any, task: str, method: str
) -> None:
    uuid = cloud.running(state=state)
    act(cloud, uuid, action)
    assert cloud.instance(uuid).task_state == task
    ((host, called, arguments),) = cloud.compute.taken
    assert (host, called) == ("h1", method)
    assert arguments["order"].action == method
    assert arguments["order"].filter is not None
    with cloud.db.transaction() as tx:
        assert operations.get(tx, arguments["order"].operation_id).host == "h1"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("stopped", {"reboot": {"type": "SOFT"}}),
        ("stopped", {"os-stop": None}),
        ("active", {"os-start": None}),
        ("building", {"os-stop": None}),
        ("paused", {"rescue": None}),
        ("rescued", {"rescue": {}}),
        ("rescued", {"reboot": {"type": "HARD"}}),
        ("active", {"unrescue": None}),
        ("stopped", {"pause": None}),
        ("active", {"unpause": None}),
        ("paused", {"suspend": None}),
        ("paused", {"resume": None}),
    ],
)
def test_an_action_in_the_wrong_state_changes_nothing(cloud: ComputeCloud, state: str, action: Any) -> None:
    uuid = cloud.running(state=state)
    answer = act(cloud, uuid, action, status=409)
    assert state in answer["conflictingRequest"]["message"]
    assert cloud.compute.taken == []
    assert cloud.instance(uuid).task_state is None


def test_a_second_action_waits_for_the_first(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    act(cloud, uuid, {"os-stop": None})
    assert "powering-off" in act(cloud, uuid, {"os-stop": None}, status=409)["conflictingRequest"]["message"]


def test_a_broker_that_is_away_leaves_the_operation_to_recovery(cloud: ComputeCloud) -> None:
    cloud.compute.answers["stop"] = Unavailable("away")
    uuid = cloud.running()
    act(cloud, uuid, {"os-stop": None})
    assert cloud.instance(uuid).task_state == "powering-off"


@pytest.mark.parametrize("action", [{}, {"a": 1, "b": 2}, [], "reboot", {"nonsense": None}, {"reboot": {"type": "SO"}}])
def test_what_is_no_action_is_refused(cloud: ComputeCloud, action: Any) -> None:
    act(cloud, cloud.running(), action, status=400)


def test_foreign_servers_have_no_actions(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    for action in ({"os-stop": None}, {"lock": None}, {"os-getConsoleOutput": {}}, {"addSecurityGroup": {"name": "x"}}):
        act(cloud, uuid, action, status=404, who=BOB)
    assert cloud.compute.taken == []


def test_an_owner_cannot_take_an_administrators_lock_away(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    act(cloud, uuid, {"lock": None}, who=ADMIN)
    act(cloud, uuid, {"unlock": None}, status=403)
    act(cloud, uuid, {"os-stop": None}, status=409)
    act(cloud, uuid, {"unlock": None}, who=ADMIN)
    act(cloud, uuid, {"lock": None})
    act(cloud, uuid, {"unlock": None})
    act(cloud, uuid, {"os-stop": None})


def test_only_administrators_reset_states(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    act(cloud, uuid, {"os-stop": None})
    act(cloud, uuid, {"os-resetState": {"state": "error"}}, status=403)
    act(cloud, uuid, {"os-resetState": {"state": "error"}}, who=ADMIN)
    shown = cloud.instance(uuid)
    assert (shown.vm_state, shown.task_state) == ("error", None)


@pytest.mark.parametrize(
    ("action", "method"), [("resetNetwork", "reset_network"), ("injectNetworkInfo", "inject_network_info")]
)
def test_administrators_have_a_servers_network_mended_in_any_state(
    cloud: ComputeCloud, action: str, method: str
) -> None:
    uuid = cloud.running(
        state="error",
    )
    act(cloud, uuid, {action: None}, status=403)
    act(cloud, uuid, {action: None}, who=ADMIN)
    ((host, called, _),) = cloud.compute.taken
    assert (host, called) == ("h1", method)
    assert cloud.instance(uuid).task_state is None
    act(cloud, cloud.boot(), {action: None}, status=409, who=ADMIN)


def test_a_password_goes_to_the_host_and_nowhere_else(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    act(cloud, uuid, {"changePassword": {"adminPass": "new secret"}})
    (asked,), (ordered,) = cloud.compute.named("check_agent"), cloud.compute.named("change_password")
    assert asked["instance"].uuid == uuid
    assert ordered["order"].admin_password.reveal() == "new secret"
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["status"] == "PASSWORD"
    with cloud.db.transaction() as tx:
        assert "secret" not in str(operations.list_for_instance(tx, uuid))


@pytest.mark.parametrize(
    ("error", "status"), [(NotSupported("no agent"), 501), (InvalidState("silent"), 409), (Unavailable("away"), 503)]
)
def test_a_server_whose_agent_does_not_answer_keeps_its_password(
    cloud: ComputeCloud, error: NovaError, status: int
) -> None:
    cloud.compute.answers["check_agent"] = error
    uuid = cloud.running()
    act(cloud, uuid, {"changePassword": {"adminPass": "x"}}, status=status)
    assert cloud.instance(uuid).task_state is None
    assert cloud.compute.named("change_password") == []


@pytest.mark.parametrize("body", [None, {}, {"adminPass": 5}, {"adminPass": None}, {"adminPass": "a", "x": 1}])
def test_a_password_must_be_a_text(cloud: ComputeCloud, body: Any) -> None:
    act(cloud, cloud.running(), {"changePassword": body}, status=400)


def test_a_server_that_is_off_gets_no_new_password(cloud: ComputeCloud) -> None:
    act(cloud, cloud.running(state="stopped"), {"changePassword": {"adminPass": "x"}}, status=409)
    assert cloud.compute.taken == []


def test_diagnostics_are_for_administrators_and_need_a_host(cloud: ComputeCloud) -> None:
    cloud.compute.answers["diagnostics"] = {"cpu0_time": 7, "memory": 524288}
    uuid = cloud.running()
    path = f"/servers/{uuid}/diagnostics"
    assert cloud.ok("GET", path, who=ADMIN) == {"cpu0_time": 7, "memory": 524288}
    assert cloud.ok("GET", f"/operations{path}", who=ADMIN, base="/v2")["cpu0_time"] == 7
    assert cloud.refused("GET", path, status=403)
    assert cloud.refused("GET", f"/servers/{cloud.boot()}/diagnostics", status=409, who=ADMIN)
    cloud.compute.answers["diagnostics"] = InvalidState("off")
    assert cloud.refused("GET", path, status=409, who=ADMIN)


def test_a_crash_dump_is_there_from_217_on(cloud: ComputeCloud) -> None:
    uuid = cloud.running(state="rescued")
    act(cloud, uuid, {"trigger_crash_dump": None}, status=400, version="2.16")
    act(cloud, uuid, {"trigger_crash_dump": None}, version="2.17")
    assert len(cloud.compute.named("trigger_crash_dump")) == 1
    act(cloud, cloud.running(state="stopped"), {"trigger_crash_dump": None}, status=409, version="2.17")


def test_the_guests_password_is_shown_and_cleared(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    path = f"/servers/{uuid}/os-server-password"
    assert cloud.ok("GET", path) == {"password": ""}
    with cloud.db.transaction() as tx:
        server_password.store(tx, uuid, b"Zm9v" * 100)
    assert cloud.ok("GET", path) == {"password": "Zm9v" * 100}
    for method in ("GET", "DELETE"):
        assert cloud.refused(method, path, status=404, who=BOB)
    assert cloud.call("DELETE", path).status_int == 204
    assert cloud.ok("GET", path) == {"password": ""}
    with cloud.db.transaction() as tx:
        server_password.store(tx, uuid, b"YmFy")
    assert cloud.ok("GET", path) == {"password": "YmFy"}


@pytest.mark.parametrize(
    ("length", "expected"),
    [(None, "one\ntwo\nthree"), (-1, "one\ntwo\nthree"), ("2", "two\nthree"), (1, "three"), (0, "")],
)
def test_the_console_gives_its_last_lines(cloud: ComputeCloud, length: Any, expected: str) -> None:
    cloud.compute.answers["get_console_output"] = b"one\ntwo\nthree"
    uuid = cloud.running()
    assert act(cloud, uuid, {"os-getConsoleOutput": {"length": length}}, status=200) == {"output": expected}


def test_the_console_has_no_bytes_that_json_cannot_hold(cloud: ComputeCloud) -> None:
    cloud.compute.answers["get_console_output"] = b"a\x00b\xff\x1b[1m"
    uuid = cloud.running()
    assert act(cloud, uuid, {"os-getConsoleOutput": {}}, status=200)["output"] == "ab\ufffd\x1b[1m"


def test_a_missing_console_is_not_found_and_no_host_is_a_conflict(cloud: ComputeCloud) -> None:
    cloud.compute.answers["get_console_output"] = NotFound("no console")
    act(cloud, cloud.running(), {"os-getConsoleOutput": {}}, status=404)
    act(cloud, cloud.boot(), {"os-getConsoleOutput": {}}, status=409)


def test_metadata_is_merged_replaced_and_removed(cloud: ComputeCloud) -> None:
    uuid = cloud.running(metadata={"a": "1"})
    path = f"/servers/{uuid}/metadata"
    assert cloud.ok("POST", path, {"metadata": {"b": "2"}}) == {"metadata": {"a": "1", "b": "2"}}
    assert cloud.ok("PUT", path, {"metadata": {"c": "3"}}) == {"metadata": {"c": "3"}}
    assert cloud.ok("PUT", f"{path}/c", {"meta": {"c": "4"}}) == {"meta": {"c": "4"}}
    assert cloud.refused("PUT", f"{path}/c", {"meta": {"d": "4"}}, status=400)
    assert cloud.ok("GET", f"{path}/c") == {"meta": {"c": "4"}}
    assert cloud.call("DELETE", f"{path}/c").status_int == 204
    assert cloud.refused("GET", f"{path}/c", status=404)
    assert cloud.refused("DELETE", f"{path}/c", status=404)
    assert cloud.refused("POST", path, {"metadata": {str(n): "x" for n in range(129)}}, status=403)
    for method in ("GET", "POST", "PUT"):
        assert cloud.refused(method, path, {"metadata": {}}, status=404, who=BOB)


def test_metadata_of_a_server_that_is_being_built_stays(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    assert cloud.refused("POST", f"/servers/{uuid}/metadata", {"metadata": {"a": "b"}}, status=409)


def test_what_was_done_is_listed_newest_first(cloud: ComputeCloud) -> None:
    uuid = cloud.running(state="stopped")
    act(cloud, uuid, {"reboot": {"type": "HARD"}})
    listed = cloud.ok("GET", f"/servers/{uuid}/os-instance-actions")["instanceActions"]
    assert [each["action"] for each in listed] == ["reboot", "create"]
    assert "events" not in listed[0]
    request_id = listed[0]["request_id"]
    with cloud.db.transaction() as tx:
        number = operations.get_by_request(tx, uuid, request_id).id
        operations.add_events(tx, number, [StepEvent(name="stop_guest", host="h1", started_at=tx.now)])
    path = f"/servers/{uuid}/os-instance-actions/{request_id}"
    assert "events" not in cloud.ok("GET", path)["instanceAction"]
    shown = cloud.ok("GET", path, who=ADMIN)["instanceAction"]
    assert [event["event"] for event in shown["events"]] == ["stop_guest"]
    assert cloud.refused("GET", f"/servers/{uuid}/os-instance-actions/req-none", status=404)
    assert cloud.refused("GET", path, status=404, who=BOB)


def test_actions_of_deleted_servers_are_there_from_221_on(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    with cloud.db.transaction() as tx:
        instances.destroy(tx, uuid)
    assert cloud.refused("GET", f"/servers/{uuid}/os-instance-actions", status=404)
    assert cloud.ok("GET", f"/servers/{uuid}/os-instance-actions", version="2.21")["instanceActions"]
