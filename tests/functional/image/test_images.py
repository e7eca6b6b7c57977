# SPDX-License-Identifier: Apache-2.0
"""The image API, over HTTP in process, on real files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.functional.cloud import SmallCloud

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


@pytest.fixture
def cloud(tmp_path: Path) -> SmallCloud:
    return SmallCloud(store=tmp_path / "store")


def names(cloud: SmallCloud, token: str, query: str = "") -> list[str]:
    return [image["name"] for image in cloud.image("GET", f"/v2/images{query}", token=token).json["images"]]


def test_an_image_is_made_filled_read_and_removed(cloud: SmallCloud) -> None:
    token, data = cloud.token("alice"), b"x" * 700_000
    image_id = cloud.new_image(token, data=None, name="first", kernel_id="k")
    queued = cloud.image("GET", f"/v2/images/{image_id}", token=token).json
    assert (queued["status"], queued["size"], queued["kernel_id"]) == ("queued", None, "k")
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=token).status_int == 204
    assert cloud.upload(token, image_id, data).status_int == 204
    shown = cloud.image("GET", f"/v2/images/{image_id}", token=token).json
    assert (shown["status"], shown["size"]) == ("active", len(data))
    assert shown["checksum"] == hashlib.md5(data).hexdigest()
    assert shown["os_hash_value"] == hashlib.sha512(data).hexdigest()
    read = cloud.image("GET", f"/v2/images/{image_id}/file", token=token)
    assert read.body == data
    assert read.headers["Content-MD5"] == shown["checksum"]
    assert cloud.image("DELETE", f"/v2/images/{image_id}", token=token).status_int == 204
    assert cloud.image("GET", f"/v2/images/{image_id}", token=token).status_int == 404
    assert cloud.files is not None
    assert cloud.files.older_than(-10) == []


def test_a_part_of_the_bytes_can_be_read(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=b"0123456789")
    part = cloud.image("GET", f"/v2/images/{image_id}/file", token=token, headers={"Range": "bytes=2-4"})
    assert (part.status_int, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    beyond = cloud.image("GET", f"/v2/images/{image_id}/file", token=token, headers={"Range": "bytes=10-"})
    assert beyond.status_int == 416


def test_a_reader_that_has_begun_reads_to_the_end_though_the_image_is_deleted(cloud: SmallCloud) -> None:
    token, data = cloud.token("alice"), b"y" * 600_000
    image_id = cloud.new_image(token, data=data)
    context = _context(cloud)
    assert cloud.images is not None
    chunks = cloud.images.read(context, image_id)
    first = next(chunks)
    cloud.images.delete(context, image_id)
    assert first + b"".join(chunks) == data


def _context(cloud: SmallCloud) -> Any:
    from nova.context import RequestContext

    return RequestContext(user_id=cloud.users["alice"].id, project_id=cloud.project_id("alice"), roles=("member",))


def test_a_patch_changes_attributes_and_properties(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, os_distro="debian", stale="x")
    changes = [
        {"op": "replace", "path": "/name", "value": "renamed"},
        {"op": "add", "path": "/a~1b", "value": "slash"},
        {"op": "remove", "path": "/stale"},
        {"op": "replace", "path": "/tags", "value": ["one", "two"]},
        {"op": "replace", "path": "/min_disk", "value": 3},
    ]
    changed = cloud.image("PATCH", f"/v2/images/{image_id}", token=token, body=changes, headers=PATCH)
    assert changed.status_int == 200, changed.text
    assert changed.json["name"] == "renamed"
    assert changed.json["a/b"] == "slash"
    assert "stale" not in changed.json
    assert (changed.json["tags"], changed.json["min_disk"], changed.json["os_distro"]) == (["one", "two"], 3, "debian")
    absent = [{"op": "replace", "path": "/nothing", "value": "x"}]
    answer = cloud.image("PATCH", f"/v2/images/{image_id}", token=token, body=absent, headers=PATCH)
    assert answer.status_int == 409


def test_lists_are_filtered_sorted_and_paged(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    ids = [cloud.new_image(token, name=f"n{number}", data=b"z" * (number + 1), os=f"o{number}") for number in range(4)]
    assert names(cloud, token, "?sort=name:asc") == ["n0", "n1", "n2", "n3"]
    assert names(cloud, token, "?sort_key=size&sort_dir=desc") == ["n3", "n2", "n1", "n0"]
    assert names(cloud, token, "?name=n2") == ["n2"]
    assert sorted(names(cloud, token, f"?id=in:{ids[0]},{ids[3]}")) == ["n0", "n3"]
    assert names(cloud, token, "?os=o1") == ["n1"]
    assert names(cloud, token, "?size_min=4") == ["n3"]
    page = cloud.image("GET", "/v2/images?limit=3&sort=name:asc", token=token).json
    rest = cloud.image("GET", page["next"], token=token).json
    assert [image["name"] for image in page["images"] + rest["images"]] == ["n0", "n1", "n2", "n3"]
    assert "next" not in rest
    assert cloud.image("GET", "/v2/images?marker=nowhere", token=token).status_int == 400
    assert cloud.image("GET", "/v2/images?sort=owner_secret", token=token).status_int == 400


def test_tags_are_put_and_taken_one_by_one(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    assert cloud.image("PUT", f"/v2/images/{image_id}/tags/blue", token=token).status_int == 204
    assert names(cloud, token, "?tag=blue") == ["test"]
    assert cloud.image("DELETE", f"/v2/images/{image_id}/tags/blue", token=token).status_int == 204
    assert cloud.image("DELETE", f"/v2/images/{image_id}/tags/blue", token=token).status_int == 404


def test_a_shared_image_is_listed_only_after_acceptance(cloud: SmallCloud) -> None:
    alice, bob, project = cloud.token("alice"), cloud.token("bob"), cloud.project_id("bob")
    image_id = cloud.new_image(alice, name="shared")
    members = f"/v2/images/{image_id}/members"
    assert cloud.image("GET", f"/v2/images/{image_id}", token=bob).status_int == 404
    assert cloud.image("POST", members, token=alice, body={"member": project}).json["status"] == "pending"
    assert cloud.image("GET", f"/v2/images/{image_id}", token=bob).status_int == 200
    assert names(cloud, bob) == []
    assert names(cloud, bob, "?visibility=shared&member_status=pending") == ["shared"]
    assert cloud.image("PUT", f"{members}/{project}", token=alice, body={"status": "accepted"}).status_int == 403
    accepted = cloud.image("PUT", f"{members}/{project}", token=bob, body={"status": "accepted"})
    assert accepted.json["status"] == "accepted"
    assert names(cloud, bob) == ["shared"]
    assert cloud.image("DELETE", f"/v2/images/{image_id}", token=bob).status_int == 403
    assert cloud.image("DELETE", f"{members}/{project}", token=alice).status_int == 204
    assert names(cloud, bob) == []


def test_staged_bytes_become_the_images_own_at_the_import(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=None)
    octets = {"Content-Type": "application/octet-stream"}
    staged = cloud.image("PUT", f"/v2/images/{image_id}/stage", token=token, body=b"staged", headers=octets)
    assert staged.status_int == 204
    assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json["status"] == "uploading"
    method = {"method": {"name": "glance-direct"}}
    assert cloud.image("POST", f"/v2/images/{image_id}/import", token=token, body=method).status_int == 202
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=token).body == b"staged"
    assert cloud.image("POST", f"/v2/images/{image_id}/import", token=token, body=method).status_int == 409


def test_an_administrator_takes_an_image_out_of_use_and_back(cloud: SmallCloud) -> None:
    root, alice = cloud.token("root"), cloud.token("alice")
    image_id = cloud.new_image(alice)
    actions = f"/v2/images/{image_id}/actions"
    assert cloud.image("POST", f"{actions}/deactivate", token=alice).status_int == 403
    assert cloud.image("POST", f"{actions}/deactivate", token=root).status_int == 204
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=alice).status_int == 403
    assert cloud.image("POST", f"{actions}/reactivate", token=root).status_int == 204
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=alice).body == b"plain bytes"


def test_versions_and_schemas_are_there(cloud: SmallCloud) -> None:
    assert cloud.image("GET", "/").status_int == 300
    assert cloud.image("GET", "/v2").json["versions"][0]["status"] == "CURRENT"
    token = cloud.token("alice")
    for name in ("image", "images", "member", "members"):
        assert cloud.image("GET", f"/v2/schemas/{name}", token=token).json["name"] == name
    methods = cloud.image("GET", "/v2/info/import", token=token).json["import-methods"]["value"]
    assert methods == ["glance-direct"]


def test_numbers_for_ec2_are_given_once(cloud: SmallCloud) -> None:
    from nova.db.images import numbers

    image_id = cloud.new_image(cloud.token("alice"))
    remote = "5f0c3c55-4b54-4e45-a3b7-1d27f1a9a9e1"
    first = cloud.db.run(lambda tx: numbers.numbers_of(tx, [image_id, remote]))
    assert cloud.db.run(lambda tx: numbers.numbers_of(tx, [remote, image_id])) == first
    back = cloud.db.run(lambda tx: numbers.uuids_of(tx, list(first.values())))
    assert set(back.values()) == {image_id, remote}
