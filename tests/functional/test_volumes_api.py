# SPDX-License-Identifier: Apache-2.0
"""Volumes through HTTP and all daemons: made, listed, changed, deleted, and whatever may come in between."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nova.conductor.settings import ConductorSettings
from nova.conductor.volume_recovery import DEAD_HOST, VolumeRecovery
from nova.db import volumes
from nova.db.transaction import utcnow
from nova.domain.volume import VolumeCapacity
from tests.functional.volume_cloud import ADMIN, BOB, VolumeCloud
from tests.functional.workflow_cloud import wait_until

NOBODY = "99999999-9999-4999-8999-999999999999"
LONG_AGO = datetime.timedelta(days=1)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[VolumeCloud]:
    made = VolumeCloud(tmp_path, conductor=ConductorSettings(host_grace_s=0.0))
    made.add_scheduler()
    yield made
    made.close()


@pytest.fixture
def stored(cloud: VolumeCloud) -> VolumeCloud:
    cloud.add_storage()
    return cloud


def test_a_volume_becomes_available_as_a_file_of_its_size(stored: VolumeCloud) -> None:
    body = {"volume": {"size": 2, "name": "data", "description": "mine", "metadata": {"a": "b"}}}
    answer = stored.call("POST", "/v3/apples/volumes", body)
    made = answer.json["volume"]
    assert (answer.status_int, made["status"], made["size"], made["name"]) == (202, "creating", 2, "data")
    assert answer.headers["Location"].endswith(f"/v3/apples/volumes/{made['id']}")
    stored.becomes(made["id"], "available")
    shown = stored.ok("GET", f"/v3/volumes/{made['id']}")["volume"]
    assert shown["metadata"] == {"a": "b"}
    assert (shown["attachments"], shown["bootable"], shown["availability_zone"]) == ([], "false", "nova")
    assert "os-vol-host-attr:host" not in shown
    assert stored.ok("GET", f"/v3/volumes/{made['id']}", who=ADMIN)["volume"]["os-vol-host-attr:host"] == "storage"
    file = stored.files / f"volume-{made['id']}"
    assert file.stat().st_size == 2 << 30
    assert file.stat().st_mode & 0o777 == 0o600
    assert stored.quota_used() == (1, 2)


def test_a_deleted_volume_is_gone_with_its_file_and_quota(stored: VolumeCloud) -> None:
    volume_id = stored.new_volume()
    stored.ok("DELETE", f"/v3/volumes/{volume_id}", status=202)
    stored.vanishes(volume_id)
    assert not list(stored.files.iterdir())
    assert stored.quota_used() == (0, 0)
    stored.refused("GET", f"/v3/volumes/{volume_id}", status=404)
    stored.refused("DELETE", f"/v3/volumes/{volume_id}", status=404)


def test_a_volume_for_which_no_host_has_room_is_in_error_with_the_reason(stored: VolumeCloud) -> None:
    full = VolumeCapacity(host="storage", driver="file", total_gb=10, free_gb=1)
    stored.db.run(lambda tx: volumes.report_capacity(tx, full))
    made = stored.ok("POST", "/v3/volumes", {"volume": {"size": 5}}, status=202)["volume"]
    assert "has 5 GB free" in stored.becomes(made["id"], "error").fault
    assert "has 5 GB free" in stored.ok("GET", f"/v3/volumes/{made['id']}")["volume"]["fault"]
    stored.ok("DELETE", f"/v3/volumes/{made['id']}", status=202)
    assert stored.volume(made["id"]) is None
    assert stored.quota_used() == (0, 0)


def test_quota_holds_when_many_ask_at_once(stored: VolumeCloud) -> None:
    def ask(_number: int) -> int:
        return stored.call("POST", "/v3/volumes", {"volume": {"size": 1}}).status_int

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(12)))
    assert sorted(answers) == [202] * 4 + [403] * 8
    assert stored.quota_used() == (4, 4)
    stored.refused("POST", "/v1/volumes", {"volume": {"size": 1}}, status=413)


def test_too_many_gigabytes_are_refused_and_nothing_is_left(stored: VolumeCloud) -> None:
    assert "gigabytes" in stored.refused("POST", "/v3/volumes", {"volume": {"size": 11}}, status=403)
    assert stored.quota_used() == (0, 0)
    assert stored.ok("GET", "/v3/volumes")["volumes"] == []


def test_each_project_sees_its_own_volumes_and_administrators_all(stored: VolumeCloud) -> None:
    mine, theirs = stored.new_volume(name="mine"), stored.new_volume(name="theirs", who=BOB)
    for path in ("/v3/volumes", "/v3/volumes/detail", "/v1/volumes", "/v2/volumes/detail", "/v2.1/os-volumes"):
        assert [each["id"] for each in stored.ok("GET", path)["volumes"]] == [mine], path
        sneaky = stored.ok("GET", f"{path}?project_id=pears")["volumes"]
        assert [each["id"] for each in sneaky] == [mine], path
        stored.refused("GET", f"{path}?all_tenants=1", status=403)
        everything = stored.ok("GET", f"{path}?all_tenants=1", who=ADMIN)["volumes"]
        assert {each["id"] for each in everything} == {mine, theirs}
    for method, path in (
        ("GET", "/v3/volumes/{}"),
        ("DELETE", "/v3/volumes/{}"),
        ("GET", "/v1/volumes/{}"),
        ("GET", "/v2.1/os-volumes/{}"),
        ("DELETE", "/v2.1/os-volumes/{}"),
        ("GET", "/v3/volumes/{}/metadata"),
        ("DELETE", "/v3/volumes/{}/metadata/a"),
    ):
        stored.refused(method, path.format(theirs), status=404)
    stored.refused("PUT", f"/v3/volumes/{theirs}", {"volume": {"name": "x"}}, status=404)
    stored.refused("PUT", f"/v3/volumes/{theirs}/metadata", {"metadata": {}}, status=404)


def test_lists_are_filtered_and_paged(stored: VolumeCloud) -> None:
    ids = [stored.new_volume(name=f"v{number}") for number in range(3)]
    assert [each["id"] for each in stored.ok("GET", "/v3/volumes?name=v1")["volumes"]] == [ids[1]]
    assert stored.ok("GET", "/v3/volumes?status=error")["volumes"] == []
    first = stored.ok("GET", "/v3/volumes?limit=2")
    assert [each["id"] for each in first["volumes"]] == [ids[2], ids[1]]
    assert first["volumes_links"][0]["rel"] == "next"
    rest = stored.ok("GET", f"/v3/volumes?limit=2&marker={ids[1]}")
    assert [each["id"] for each in rest["volumes"]] == [ids[0]]
    assert [each["id"] for each in stored.ok("GET", "/v1/volumes?limit=1&offset=1")["volumes"]] == [ids[1]]
    stored.refused("GET", f"/v3/volumes?marker={NOBODY}", status=400)
    stored.refused("GET", "/v3/volumes?limit=x", status=400)


def test_words_and_metadata_are_changed(stored: VolumeCloud) -> None:
    at = f"/v3/volumes/{stored.new_volume(name='old', description='keep')}"
    changed = stored.ok("PUT", at, {"volume": {"name": "new"}})["volume"]
    assert (changed["name"], changed["description"]) == ("new", "keep")
    assert stored.ok("POST", f"{at}/metadata", {"metadata": {"a": "1", "b": "2"}})["metadata"] == {"a": "1", "b": "2"}
    assert stored.ok("PUT", f"{at}/metadata/a", {"meta": {"a": "3"}}) == {"meta": {"a": "3"}}
    stored.refused("PUT", f"{at}/metadata/a", {"meta": {"b": "3"}}, status=400)
    stored.ok("DELETE", f"{at}/metadata/b")
    stored.refused("DELETE", f"{at}/metadata/b", status=404)
    assert stored.ok("GET", f"{at}/metadata") == {"metadata": {"a": "3"}}
    assert stored.ok("GET", f"{at}/metadata/a") == {"meta": {"a": "3"}}
    assert stored.ok("PUT", f"{at}/metadata", {"metadata": {"z": "9"}}) == {"metadata": {"z": "9"}}


def test_metadata_cannot_pass_its_limit_in_small_steps(stored: VolumeCloud) -> None:
    at = f"/v3/volumes/{stored.new_volume()}/metadata"

    def add(number: int) -> int:
        items = {f"k{number}-{each}": "x" for each in range(10)}
        return stored.call("POST", at, {"metadata": items}).status_int

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(add, range(20)))
    assert set(answers) == {200, 403}
    assert len(stored.ok("GET", at)["metadata"]) <= 128


def test_the_first_version_has_its_own_words(stored: VolumeCloud) -> None:
    body = {"volume": {"size": "1", "display_name": "old", "display_description": "way", "nonsense": True}}
    made = stored.ok("POST", "/v1/apples/volumes", body)["volume"]
    assert (made["display_name"], made["volume_type"], made["attachments"]) == ("old", "None", [{}])
    stored.becomes(made["id"], "available")
    camel = stored.ok("GET", f"/v2.1/os-volumes/{made['id']}")["volume"]
    assert (camel["displayName"], camel["availabilityZone"], camel["attachments"]) == ("old", "nova", [{}])


def test_the_compute_apis_proxy_makes_and_deletes_volumes(stored: VolumeCloud) -> None:
    made = stored.ok("POST", "/v2.1/os-volumes", {"volume": {"size": 1, "display_name": "p"}})["volume"]
    stored.becomes(made["id"], "available")
    assert stored.ok("GET", "/v2.1/os-volumes/detail")["volumes"][0]["displayName"] == "p"
    stored.ok("DELETE", f"/v2.1/os-volumes/{made['id']}", status=202)
    stored.vanishes(made["id"])
    assert stored.ok("GET", "/v2.1/os-snapshots") == {"snapshots": []}
    stored.refused("POST", "/v2.1/os-snapshots", {"snapshot": {"volume_id": NOBODY}}, status=501)


@pytest.mark.parametrize(
    ("volume", "field"),
    [
        ({}, "size"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": "1; rm"}, "size"),
        ({"size": 2**40}, "size"),
        ({"size": 1.5}, "size"),
        ({"size": True}, "size"),
        ({"size": "99999999999999999"}, "size"),
        ({"size": 1, "name": "x" * 256}, "name"),
        ({"size": 1, "name": "a\x00b"}, "name"),
        ({"size": 1, "name": ["x"]}, "name"),
        ({"size": 1, "metadata": {"a": 1}}, "metadata"),
        ({"size": 1, "metadata": {"": "x"}}, "metadata"),
        ({"size": 1, "metadata": {"a": "x" * 256}}, "metadata"),
        ({"size": 1, "metadata": []}, "metadata"),
        ({"size": 1, "imageRef": NOBODY}, "imageRef"),
        ({"size": 1, "snapshot_id": NOBODY}, "snapshot_id"),
        ({"size": 1, "source_volid": NOBODY}, "source_volid"),
        ({"size": 1, "multiattach": True}, "multiattach"),
        ({"size": 1, "availability_zone": "moon"}, "zone"),
        ({"size": 1, "surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_body_is_refused_by_the_name_of_its_field(
    stored: VolumeCloud, volume: dict[str, Any], field: str
) -> None:
    assert field in stored.refused("POST", "/v3/volumes", {"volume": volume}, status=400)
    assert stored.quota_used() == (0, 0)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b'{"volume": 7}', b'{"volume": {}, "volume": {}}', b"\xff"]
)
def test_bytes_that_are_no_request_are_refused(stored: VolumeCloud, body: bytes) -> None:
    for path in ("/v1/volumes", "/v2/volumes", "/v3/volumes", "/v2.1/os-volumes"):
        assert stored.call("POST", path, body).status_int == 400


@pytest.mark.parametrize("word", ["x" * 5000, "..%2f..%2fetc", "%00", "vol;ume", "1", "%c3%28"])
def test_a_wrong_id_is_not_found(stored: VolumeCloud, word: str) -> None:
    for path in (f"/v3/volumes/{word}", f"/v1/volumes/{word}", f"/v2.1/os-volumes/{word}", f"/v3/snapshots/{word}"):
        assert stored.call("GET", path).status_int in (400, 404)


def test_a_volume_type_does_not_exist(stored: VolumeCloud) -> None:
    assert stored.ok("GET", "/v3/types") == {"volume_types": []}
    stored.refused("POST", "/v3/volumes", {"volume": {"size": 1, "volume_type": "gold"}}, status=404)


def test_who_has_no_token_reads_version_documents_only(stored: VolumeCloud) -> None:
    assert stored.call("GET", "/", who="").status_int == 300
    assert stored.ok("GET", "/v3", who="")["versions"][0]["id"] == "v3.0"
    assert stored.ok("GET", "/v1/", who="")["versions"][0]["status"] == "DEPRECATED"
    for path in ("/v3/volumes", "/v1/volumes", "/v3/apples/limits", "/v3/nowhere"):
        stored.refused("GET", path, status=401, who="")
    assert stored.call("GET", "/v3/pears/volumes").status_int == 400


def test_only_the_microversion_of_the_document_is_served(stored: VolumeCloud) -> None:
    for version, status in (("3.0", 200), ("latest", 200), ("3.27", 406), ("2.0", 406), ("x", 400)):
        answer = stored.call("GET", "/v3/volumes", headers={"OpenStack-API-Version": f"volume {version}"})
        assert answer.status_int == status, version
        assert answer.headers["OpenStack-API-Version"] == "volume 3.0"


def test_administrators_set_a_status_and_delete_by_force(stored: VolumeCloud) -> None:
    volume_id = stored.new_volume()
    action = f"/v3/volumes/{volume_id}/action"
    stored.refused("POST", action, {"os-reset_status": {"status": "error"}}, status=403)
    stored.refused("POST", action, {"os-force_delete": None}, status=403)
    stored.refused("DELETE", f"/v3/volumes/{volume_id}?force=true", status=403)
    stored.refused("POST", action, {"os-reset_status": {"status": "happy"}}, status=400, who=ADMIN)
    stored.ok("POST", action, {"os-reset_status": {"status": "attaching"}}, status=202, who=ADMIN)
    assert "attaching" in stored.refused("DELETE", f"/v3/volumes/{volume_id}", status=400)
    stored.ok("POST", action, {"os-force_delete": None}, status=202, who=ADMIN)
    stored.vanishes(volume_id)
    assert stored.quota_used() == (0, 0)


@pytest.mark.parametrize("name", ["os-detach", "os-attach", "os-terminate_connection", "os-initialize_connection"])
def test_nobody_takes_connections_from_the_volume_api(stored: VolumeCloud, name: str) -> None:
    volume_id = stored.new_volume()
    for who in ("alice:apples", ADMIN):
        message = stored.refused("POST", f"/v3/volumes/{volume_id}/action", {name: {}}, status=403, who=who)
        assert "compute API" in message
    stored.refused("POST", f"/v3/volumes/{volume_id}/action", {name: {}}, status=404, who=BOB)


def test_what_clients_ask_besides(stored: VolumeCloud) -> None:
    assert stored.ok("GET", "/v3/os-availability-zone")["availabilityZoneInfo"][0]["zoneName"] == "nova"
    stored.refused("GET", "/v3/os-services", status=403)
    [daemon] = stored.ok("GET", "/v3/os-services", who=ADMIN)["services"]
    assert (daemon["host"], daemon["state"], daemon["status"]) == ("storage", "up", "enabled")
    assert stored.ok("GET", "/v3/os-quota-sets/apples")["quota_set"]["volumes"] == 4
    stored.refused("GET", "/v3/os-quota-sets/pears", status=404)
    assert stored.ok("GET", "/v3/snapshots/detail") == {"snapshots": []}
    stored.refused("POST", "/v3/snapshots", {"snapshot": {"volume_id": NOBODY}}, status=501)
    assert {each["alias"] for each in stored.ok("GET", "/v3/extensions")["extensions"]} >= {"os-volume-actions"}


def recovery(cloud: VolumeCloud) -> VolumeRecovery:
    """A conductor's recovery that has looked on for a long time."""
    return VolumeRecovery(cloud.conductor.cloud, monotonic=iter(range(0, 10**9, 10**4)).__next__)


def test_a_volume_whose_message_was_lost_is_made_all_the_same(cloud: VolumeCloud) -> None:
    cloud.add_storage()
    volume_id = cloud.new_volume()
    cloud.set_volume(volume_id, status="creating", host=None, updated_at=utcnow() - datetime.timedelta(minutes=5))
    recovery(cloud).turn()
    cloud.becomes(volume_id, "available")
    cloud.set_volume(volume_id, status="deleting", updated_at=utcnow() - datetime.timedelta(minutes=5))
    recovery(cloud).turn()
    cloud.vanishes(volume_id)
    assert cloud.quota_used() == (0, 0)


def test_a_request_waits_for_a_storage_host_that_restarts(stored: VolumeCloud) -> None:
    volume_id = stored.new_volume()
    stored.stop_storage()
    stored.ok("DELETE", f"/v3/volumes/{volume_id}", status=202)
    recovery(stored).turn()
    assert str(stored.becomes(volume_id, "deleting").status) == "deleting"
    stored.add_storage()
    stored.vanishes(volume_id)


def test_what_a_dead_storage_host_should_have_done_ends_in_error(stored: VolumeCloud) -> None:
    volume_id = stored.new_volume()
    stored.stop_storage()
    stored.ok("DELETE", f"/v3/volumes/{volume_id}", status=202)
    stored.silence("storage")
    stored.set_volume(volume_id, updated_at=utcnow() - LONG_AGO)
    recovery(stored).turn()
    assert stored.becomes(volume_id, "error_deleting").fault == DEAD_HOST
    stored.add_storage()
    stored.ok("DELETE", f"/v3/volumes/{volume_id}", status=202)
    stored.vanishes(volume_id)


def test_without_any_storage_host_a_new_volume_ends_in_error(cloud: VolumeCloud) -> None:
    made = cloud.ok("POST", "/v3/volumes", {"volume": {"size": 1}}, status=202)["volume"]
    assert "No nova-volume" in cloud.becomes(made["id"], "error").fault
    cloud.ok("DELETE", f"/v3/volumes/{made['id']}", status=202)
    wait_until(lambda: cloud.quota_used() == (0, 0), 5)
