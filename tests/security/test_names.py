# SPDX-License-Identifier: Apache-2.0
"""What users call things is text in every document and file, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.domain.names import hostname_for
from tests.functional.compute_cloud import IMAGE
from tests.functional.ec2_cloud import Ec2Cloud, texts
from tests.functional.metadata.test_metadata import FIRST, Metadata
from tests.security.doors import Doors

HOSTILE = (
    *("${x} $(id) `id`", "{{7*7}} {% raw %}", "]]><disk/>", '"/><disk type="file"/>', "%s%n%(x)s {0.__class__}"),
    *("<script>alert(1)</script>", "&amp;&lt;", "'; DROP TABLE instances;--", "\\u0041\\x41", "#cloud-config"),
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_every_document(name: str) -> None:
    """CVE-2026-44916"""
    cloud = Ec2Cloud()
    server = cloud.running(cloud.who("alice"), name=name, metadata={"k": name})
    shown = cloud.ok("GET", f"/servers/{server}", who=cloud.who("alice"))["server"]
    assert (shown["name"], shown["metadata"]["k"]) == (name, name)
    root = cloud.good("DescribeInstances")
    assert name in texts(root, ".//tagSet/item/value")
    assert not root.findall(".//disk") + root.findall(".//script")
    cloud.close()
    service = Metadata()
    uuid = service.cloud.running("carol:plums", name=name, metadata={"k": name})
    service.give(uuid, "10.0.0.77")
    told = json.loads(service.text("/openstack/latest/meta_data.json", source="10.0.0.77"))
    assert (told["name"], told["meta"]["k"]) == (name, name)
    for path in ("/latest/meta-data/hostname", "/latest/meta-data/local-hostname"):
        assert re.fullmatch(r"[a-z0-9.-]+", service.text(path, source="10.0.0.77"))
    assert service.text("/latest/meta-data/instance-id", source=FIRST)
    service.cloud.close()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(name=st.text(max_size=300))
def test_whatever_a_server_is_called_its_host_name_is_a_label(name: str) -> None:
    """CVE-2021-40085"""
    assert LABEL.fullmatch(hostname_for(name, fallback="server-1"))


@pytest.mark.parametrize("sign", ["\n", "\r", "\0", "\x1b", "\x85", "\u2028"])
def test_names_with_line_breaks_reach_no_file_of_a_daemon(doors: Doors, sign: str) -> None:
    """CVE-2021-40085: DHCP, DNS and the log have one line for each"""
    text = f"a{sign}dhcp-option=3,6.6.6.6"
    server = {"name": "w", "flavorRef": "1", "imageRef": IMAGE}
    mine = doors.compute.running()
    bodies: list[tuple[str, str, Any]] = [
        ("POST", "/servers", {"server": {**server, "availability_zone": text}}),
        ("POST", "/servers", {"server": {**server, "key_name": text}}),
        ("POST", "/servers", {"server": {**server, "security_groups": [{"name": text}]}}),
        ("POST", "/os-security-groups", {"security_group": {"name": text, "description": ""}}),
        ("POST", "/os-keypairs", {"keypair": {"name": text}}),
    ]
    bodies += [
        ("POST", "/servers", {"server": {**server, "name": text}}),
        ("PUT", f"/servers/{mine}", {"server": {"name": text}}),
        ("POST", f"/servers/{mine}/metadata", {"metadata": {text: "v"}}),
    ]
    before = doors.writes.committed
    for method, path, body in bodies:
        for base in ("/v2.1", "/v2"):
            assert doors.compute.call(method, path, body, base=base).status_int in (400, 404), (base, path, body)
    assert doors.writes.committed == before
