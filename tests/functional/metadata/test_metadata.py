# SPDX-License-Identifier: Apache-2.0
"""The metadata service through its real pipeline: what a server is told, and who is told nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from paste.deploy import loadapp
from sqlalchemy import update
from webob import Request, Response

from nova.api.cloud import ApiSettings, deploying
from nova.db import address_claims, address_releases, instances, key_pairs
from nova.db.networks import FIXED_IPS
from nova.domain.instance import KeyPair
from tests.functional.compute_cloud import ALICE, BOB, PASTE, THREE_PART, ComputeCloud

KEY = "ssh-rsa AAAAB3NzaC1yc2E= alice@example"
FIRST, SECOND = "10.0.0.4", "10.0.0.5"
USER_DATA = b"#!/bin/sh\n\x00\xff"


class Metadata:
    """Alice's server at FIRST, Bob's at SECOND, and the service."""

    def __init__(self, settings: ApiSettings | None = None) -> None:
        self.cloud = ComputeCloud(settings)
        with deploying(self.cloud.cloud):
            self.app = loadapp(f"config:{PASTE}", name="metadata")
            self.other_process = loadapp(f"config:{PASTE}", name="metadata")
        with self.cloud.db.transaction() as tx:
            key_pairs.create(tx, KeyPair(name="mine", user_id="alice", public_key=KEY, fingerprint="f"), limit=-1)
        encoded = base64.b64encode(USER_DATA).decode()
        self.alice = self.cloud.running(
            ALICE, name="Web 1", key_name="mine", user_data=encoded, imageRef=THREE_PART, metadata={"role": "web"}
        )
        self.bob = self.cloud.running(BOB, name="other")
        for uuid, address in ((self.alice, FIRST), (self.bob, SECOND)):
            self.give(uuid, address)

    def give(self, uuid: str, address: str) -> None:
        card = {"instance_uuid": uuid, "hostname": "h", "host": "h1", "position": 0, "address": address}
        with self.cloud.db.transaction() as tx:
            address_claims.add_card(tx, self.cloud.net, **card)  # type: ignore[arg-type]

    def call(
        self, path: str, *, source: str = FIRST, method: str = "GET", body: bytes = b"", **headers: str
    ) -> Response:
        request = Request.blank(path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        request.remote_addr = source
        if body:
            request.body = body
        return request.get_response(self.app)

    def text(self, path: str, **options: str) -> str:
        answer = self.call(path, **options)
        assert answer.status_int == 200, (path, answer.status)
        return str(answer.text)


@pytest.fixture
def service() -> Iterator[Metadata]:
    made = Metadata()
    yield made
    made.cloud.close()


def test_the_root_lists_the_versions(service: Metadata) -> None:
    lines = service.text("/").split("\n")
    assert lines[0] == "1.0"
    assert lines[-2:] == ["2009-04-04", "latest"]
    assert service.text("/openstack").split("\n")[-1] == "latest"


def test_every_name_that_a_directory_lists_is_there(service: Metadata) -> None:
    seen = []
    todo = ["/latest/", "/openstack/"]
    while todo:
        path = todo.pop()
        for line in service.text(path).split("\n"):
            name = line.partition("=")[0] + ("/" if "=" in line else "")
            seen.append(path + name)
            inner = name.endswith("/") or path == "/openstack/"
            if inner:
                todo.append(path + name.rstrip("/") + "/")
            else:
                assert service.call(path + name).status_int == 200, path + name
    assert "/latest/meta-data/public-keys/0/openssh-key" in seen
    assert "/latest/meta-data/placement/availability-zone" in seen
    assert "/openstack/latest/network_data.json" in seen


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ami-id", "ami-00000001"),
        ("kernel-id", "aki-00000002"),
        ("instance-id", "i-00000001"),
        ("hostname", "web-1.novalocal"),
        ("local-hostname", "web-1.novalocal"),
        ("local-ipv4", FIRST),
        ("public-ipv4", ""),
        ("public-keys/", "0=mine"),
        ("public-keys/0", "openssh-key"),
        ("public-keys/0/openssh-key", KEY + "\n"),
        ("placement/availability-zone", "nova"),
        ("security-groups", "default"),
        ("instance-type", "m1.tiny"),
        ("ami-launch-index", "0"),
        ("instance-action", "none"),
        ("block-device-mapping/root", "/dev/vda"),
        ("block-device-mapping/ami", "vda"),
    ],
)
def test_a_server_reads_what_ec2_calls_it(service: Metadata, name: str, expected: str) -> None:
    assert service.text(f"/latest/meta-data/{name}") == expected
    assert service.text(f"/ec2//2009-04-04/meta-data/{name}/") == expected


def test_user_data_comes_as_the_bytes_that_were_given(service: Metadata) -> None:
    assert service.call("/latest/user-data").body == USER_DATA
    assert service.call("/openstack/latest/user_data").body == USER_DATA
    assert service.call("/latest/user-data", source=SECOND).status_int == 404
    assert "user-data" not in service.text("/latest", source=SECOND)


def test_an_old_version_has_only_what_it_had(service: Metadata) -> None:
    assert service.call("/1.0/meta-data/local-ipv4").status_int == 200
    assert service.call("/1.0/meta-data/public-ipv4").status_int == 404
    assert service.call("/openstack/2012-08-10/network_data.json").status_int == 404
    assert "random_seed" not in service.call("/openstack/2012-08-10/meta_data.json").json


def test_openstack_json_tells_everything_but_secrets(service: Metadata) -> None:
    told = service.call("/openstack/latest/meta_data.json").json
    assert told["uuid"] == service.alice
    assert (told["name"], told["hostname"], told["launch_index"]) == ("Web 1", "web-1.novalocal", 0)
    assert told["meta"] == {"role": "web"}
    assert told["public_keys"] == {"mine": KEY}
    assert told["keys"] == [{"name": "mine", "type": "ssh", "data": KEY}]
    assert told["project_id"] == "apples"
    assert len(base64.b64decode(told["random_seed"])) == 512
    assert not {"admin_pass", "files"} & told.keys()


def test_network_data_describes_the_cards(service: Metadata) -> None:
    told = service.call("/openstack/latest/network_data.json").json
    (link,) = told["links"]
    (network,) = told["networks"]
    assert network["link"] == link["id"]
    assert link["ethernet_mac_address"].startswith("fa:16:3e:")
    assert network["type"] in ("ipv4", "ipv4_dhcp")


@pytest.mark.parametrize("path", ["/latest/meta-data/nothing", "/3000-01-01/meta-data", "/openstack/latest/admin_pass"])
def test_what_is_not_there_is_not_found(service: Metadata, path: str) -> None:
    assert service.call(path).status_int == 404


@pytest.mark.parametrize(
    "path", ["/latest/meta-data/../../etc/passwd", "/latest/" + "a/" * 4000, "/%ff", "/latest/%00"]
)
def test_strange_paths_are_not_found(service: Metadata, path: str) -> None:
    assert service.call(path).status_int == 404


@pytest.mark.parametrize("source", ["10.0.0.99", "10.0.0.1", "192.0.2.1", "", "::1", "nonsense"])
def test_who_holds_no_address_of_a_server_is_told_nothing(service: Metadata, source: str) -> None:
    answers = {service.call(path, source=source).body for path in ("/", "/latest/meta-data/", "/openstack")}
    assert answers == {b"Not Found"}


def test_ipv4_over_an_ipv6_socket_is_recognised(service: Metadata) -> None:
    assert service.text("/latest/meta-data/local-ipv4", source=f"::ffff:{FIRST}") == FIRST


def test_no_header_makes_a_guest_somebody_else(service: Metadata) -> None:
    spoofed = {
        "X_Forwarded_For": SECOND,
        "Forwarded": f"for={SECOND}",
        "X_Real_IP": SECOND,
        "Client_IP": SECOND,
        "X_Instance_ID": service.bob,
        "X_Tenant_ID": "pears",
        "X_Instance_ID_Signature": "0" * 64,
        "X_Metadata_Provider": "x",
        "X_User_Id": "bob",
    }
    for name, value in spoofed.items():
        assert service.call("/openstack/latest/meta_data.json", **{name: value}).json["uuid"] == service.alice


def test_a_listed_proxy_names_the_guest_and_the_guest_cannot() -> None:
    service = Metadata(ApiSettings(trusted_proxies=("192.0.2.0/24",)))
    uuid = "/latest/meta-data/local-ipv4"
    assert service.text(uuid, source="192.0.2.7", X_Forwarded_For=FIRST) == FIRST
    assert service.text(uuid, source="192.0.2.7", X_Forwarded_For=f"{SECOND}, {FIRST}, 192.0.2.9") == FIRST
    assert service.text(uuid, source=FIRST, X_Forwarded_For=SECOND) == FIRST
    assert service.call(uuid, source="192.0.2.7").status_int == 404
    service.cloud.close()


def test_many_small_questions_cost_one_statement_each(service: Metadata) -> None:
    service.text("/latest/meta-data/")
    with service.cloud.db.log.recording() as statements:
        service.text("/latest/meta-data/hostname")
        service.text("/latest/meta-data/local-ipv4")
    assert len(statements) == 2
    service.app = service.other_process
    with service.cloud.db.log.recording() as statements:
        service.text("/latest/meta-data/hostname")
    assert len(statements) <= 9


def test_a_deleted_server_is_told_nothing_at_once_in_every_process(service: Metadata) -> None:
    service.text("/latest/meta-data/")
    with service.cloud.db.transaction() as tx:
        address_releases.release(tx, service.alice)
    assert service.call("/latest/meta-data/").status_int == 404


def test_an_address_with_a_new_holder_speaks_of_the_new_one(service: Metadata) -> None:
    service.text("/latest/meta-data/")
    newcomer = service.cloud.running(BOB, name="new")
    with service.cloud.db.transaction() as tx:
        address_releases.release(tx, service.alice)
        tx.execute(update(FIXED_IPS).where(FIXED_IPS.c.address == FIRST).values(instance_uuid=newcomer, allocated=True))
    assert service.call("/openstack/latest/meta_data.json").json["uuid"] == newcomer


def test_a_server_that_is_gone_while_its_address_is_not_is_told_nothing(service: Metadata) -> None:
    service.text("/latest/meta-data/")
    service.cloud.set_row(service.alice, deleted=1)
    assert service.call("/latest/meta-data/").status_int == 404


def test_changed_metadata_is_seen_after_the_cache_time() -> None:
    service = Metadata(ApiSettings(metadata_cache_s=0))
    service.text("/openstack/latest/meta_data.json")
    with service.cloud.db.transaction() as tx:
        instances.replace_metadata(tx, service.alice, {"role": "db"}, limit=-1)
    assert service.call("/openstack/latest/meta_data.json").json["meta"] == {"role": "db"}
    service.cloud.close()


def test_a_password_is_posted_once_and_read_in_every_process(service: Metadata) -> None:
    path, blob = "/openstack/latest/password", base64.b64encode(bytes(range(256)) * 2)
    assert service.text(path) == ""
    assert service.call(path, method="POST", body=blob).status_int == 200
    service.app = service.other_process
    assert service.call(path).body == blob
    assert service.call(path, method="POST", body=b"again").status_int == 409
    assert service.call(path).body == blob
    assert service.text(path, source=SECOND) == ""


@pytest.mark.parametrize(("size", "status"), [(1021, 400), (4096, 400), (4097, 413), (200_000, 413), (0, 400)])
def test_a_password_has_its_bounds(service: Metadata, size: int, status: int) -> None:
    assert service.call("/openstack/latest/password", method="POST", body=b"x" * size).status_int == status
    assert service.text("/openstack/latest/password") == ""
    assert service.call("/openstack/latest/password", method="POST", body=b"x" * 1020).status_int == 200


def test_a_password_is_text(service: Metadata) -> None:
    assert service.call("/openstack/latest/password", method="POST", body=b"\xff\xfe").status_int == 400
    assert service.call("/openstack/latest/password", method="PUT", body=b"x").status_int == 400
    assert service.call("/openstack/2012-08-10/password", method="POST", body=b"x").status_int == 404


def test_nothing_else_can_be_written(service: Metadata) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert service.call("/latest/meta-data/hostname", method=method).status_int == 405


def test_head_has_the_length_and_no_body(service: Metadata) -> None:
    answer = service.call("/latest/meta-data/local-ipv4", method="HEAD")
    assert (answer.status_int, answer.content_length, answer.body) == (200, len(FIRST), b"")


def test_a_fault_of_ours_tells_nothing(service: Metadata) -> None:
    with service.cloud.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE security_group_instance_association")
    answer = service.call("/latest/meta-data/")
    assert answer.status_int == 500
    assert not any(word in answer.text for word in ("Traceback", "SELECT", "security_group", "/nova/"))
