# SPDX-License-Identifier: Apache-2.0
"""Holes that image services had, each as an attack that must fail."""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from nova import errors
from nova.api.policy import Policy
from nova.context import RequestContext
from nova.db.images.uploads import StoreLimits
from nova.db.models.image import ImageRow
from nova.image import ImageUpdate, NewImage
from nova.image.uploading import StoreSettings
from tests.functional.cloud import SmallCloud, new_database

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def cloud(tmp_path: Path) -> SmallCloud:
    return SmallCloud(store=tmp_path / "store")


def member(cloud: SmallCloud, user: str = "alice") -> RequestContext:
    return RequestContext(user_id=cloud.users[user].id, project_id=cloud.project_id(user), roles=("member",))


def stored(tmp_path: Path) -> list[str]:
    return sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "store").rglob("*") if path.is_file())


def patch(cloud: SmallCloud, token: str, image_id: str, *changes: dict[str, Any]) -> int:
    return cloud.image("PATCH", f"/v2/images/{image_id}", token=token, body=list(changes), headers=PATCH).status_int


def qcow2(*, backing: str = "", data_file: bool = False) -> bytes:
    """The head of a qcow2 file of one gigabyte, with what an attacker puts in."""
    incompatible = 4 if data_file else 0
    offset = 0x200 if backing else 0
    head = struct.pack(
        ">4sIQIIQIIQQIIQQQQII",
        b"QFI\xfb",
        3,
        offset,
        len(backing),
        16,
        1 << 30,
        0,
        1,
        0x30000,
        0x10000,
        1,
        0,
        0,
        incompatible,
        0,
        0,
        4,
        104,
    )
    return (head.ljust(0x200, b"\0") + backing.encode()).ljust(0x40000, b"\0")


def test_an_image_of_others_is_neither_seen_nor_deleted_nor_changed(cloud: SmallCloud) -> None:
    alice, bob = cloud.token("alice"), cloud.token("bob")
    image_id = cloud.new_image(alice)
    absent = str(uuid.uuid4())
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/file"), ("GET", "/members"), ("PUT", "/tags/x")):
        for target in (image_id, absent):
            assert cloud.image(method, f"/v2/images/{target}{path}", token=bob).status_int == 404
    assert patch(cloud, bob, image_id, {"op": "replace", "path": "/name", "value": "mine"}) == 404
    assert cloud.upload(bob, image_id, b"other").status_int == 404
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=alice).body == b"plain bytes"


def test_an_image_that_is_seen_but_not_owned_stays_as_it_is(cloud: SmallCloud, tmp_path: Path) -> None:
    root, bob = cloud.token("root"), cloud.token("bob")
    image_id = cloud.new_image(root, visibility="public")
    assert cloud.image("DELETE", f"/v2/images/{image_id}", token=bob).status_int == 403
    assert patch(cloud, bob, image_id, {"op": "replace", "path": "/name", "value": "mine"}) == 403
    assert cloud.image("PUT", f"/v2/images/{image_id}/tags/x", token=bob).status_int == 403
    assert cloud.image("POST", f"/v2/images/{image_id}/members", token=bob, body={"member": "x"}).status_int == 403
    assert stored(tmp_path) == [f"store/{image_id}"]


def test_a_protected_image_is_not_deleted(cloud: SmallCloud, tmp_path: Path) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, protected=True)
    assert cloud.image("DELETE", f"/v2/images/{image_id}", token=token).status_int == 403
    assert stored(tmp_path) == [f"store/{image_id}"]


@pytest.mark.parametrize(
    "change",
    [
        {"op": "add", "path": "/locations/-", "value": {"url": "file:///etc/passwd", "metadata": {}}},
        {"op": "replace", "path": "/locations", "value": []},
        {"op": "remove", "path": "/locations/0"},
        {"op": "add", "path": "/location", "value": "FILESYSTEM:///etc/passwd"},
        {"op": "add", "path": "/direct_url", "value": " file:///etc/passwd"},
        {"op": "replace", "path": "/status", "value": "active"},
        {"op": "replace", "path": "/owner", "value": "other"},
        {"op": "replace", "path": "/checksum", "value": "0" * 32},
        {"op": "replace", "path": "/size", "value": 1},
        {"op": "replace", "path": "/id", "value": "x"},
        {"op": "replace", "path": "/visibility", "value": "public"},
        {"op": "remove", "path": "/name"},
        {"op": "replace", "path": "/disk_format", "value": "qcow2"},
    ],
)
def test_what_the_service_owns_cannot_be_patched(cloud: SmallCloud, change: dict[str, Any]) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    before = cloud.image("GET", f"/v2/images/{image_id}", token=token).json
    assert patch(cloud, token, image_id, {"op": "add", "path": "/extra", "value": "1"}, change) == 403
    assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json == before


def test_what_the_service_owns_cannot_be_given_at_creation(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    for extra in ({"status": "active"}, {"locations": "x"}, {"checksum": "0"}, {"visibility": "public"}):
        body = {"disk_format": "raw", "container_format": "bare", **extra}
        assert cloud.image("POST", "/v2/images", token=token, body=body).status_int == 403
    assert cloud.image("POST", "/v2/images", token=token, body={"owner": "other"}).status_int == 403
    assert cloud.image("GET", "/v2/images", token=token).json["images"] == []


def test_no_answer_says_where_the_bytes_are(cloud: SmallCloud, tmp_path: Path) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    for path in ("", "/file"):
        answer = cloud.image("GET", f"/v2/images/{image_id}{path}", token=token)
        text = f"{answer.headers} {answer.text}"
        assert not [word for word in ("location", "direct_url", str(tmp_path)) if word in text.lower()]


def test_the_bytes_of_an_active_image_never_change(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    for path in ("file", "stage"):
        answer = cloud.image("PUT", f"/v2/images/{image_id}/{path}", token=token, body=b"other", headers=OCTETS)
        assert answer.status_int == 409
    assert cloud.image("GET", f"/v2/images/{image_id}/file", token=token).body == b"plain bytes"


def test_an_id_is_never_used_again(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    cloud.image("DELETE", f"/v2/images/{image_id}", token=token)
    body = {"id": image_id, "disk_format": "raw", "container_format": "bare"}
    assert cloud.image("POST", "/v2/images", token=token, body=body).status_int == 409
    cloud.db.run(lambda tx: tx.execute(delete(ImageRow).where(ImageRow.__table__.c.uuid == image_id)))
    assert cloud.image("POST", "/v2/images", token=token, body=body).status_int == 409


def test_hostile_files_never_become_active(cloud: SmallCloud, tmp_path: Path) -> None:
    token = cloud.token("alice")
    cases = {
        "qcow2": [qcow2(backing="/etc/passwd"), qcow2(backing="json:{}"), qcow2(data_file=True), b"no qcow2"],
        "raw": [qcow2(), b'# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\n' + b"\n" * 2000],
        "vmdk": [b'# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 1 FLAT "/etc/passwd" 0\n'],
    }
    for disk_format, files in cases.items():
        for data in files:
            image_id = cloud.new_image(token, data=None, disk_format=disk_format)
            assert cloud.upload(token, image_id, data).status_int == 400
            assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json["status"] == "killed"
    for name in ("vhdx", "vdi", "qed", "parallels", "luks"):
        body = {"disk_format": name, "container_format": "bare"}
        assert cloud.image("POST", "/v2/images", token=token, body=body).status_int == 400
    assert stored(tmp_path) == []


def test_hostile_files_do_not_come_in_by_staging_either(cloud: SmallCloud, tmp_path: Path) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=None, disk_format="qcow2")
    data = qcow2(backing="/etc/passwd")
    cloud.image("PUT", f"/v2/images/{image_id}/stage", token=token, body=data, headers=OCTETS)
    method = {"method": {"name": "glance-direct"}}
    assert cloud.image("POST", f"/v2/images/{image_id}/import", token=token, body=method).status_int == 400
    assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json["status"] == "killed"
    assert stored(tmp_path) == []


def test_a_good_qcow2_is_taken_and_its_virtual_size_known(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, disk_format="qcow2", data=qcow2())
    assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json["virtual_size"] == 1 << 30


def test_fetching_from_addresses_is_not_offered(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token, data=None)
    for method in ({"name": "web-download", "uri": "http://127.0.0.1:22/"}, {"name": "copy-image"}):
        answer = cloud.image("POST", f"/v2/images/{image_id}/import", token=token, body={"method": method})
        assert answer.status_int == 400
    assert cloud.image("POST", "/v2/tasks", token=token, body={}).status_int == 404


class TestLimits:
    """Sizes and counts hold while the bytes arrive."""

    @pytest.fixture
    def cloud(self, tmp_path: Path) -> SmallCloud:
        limits = StoreLimits(images=5, total_bytes=1_500_000)
        return SmallCloud(store=tmp_path / "store", images=StoreSettings(image_size_cap=1_000_000, limits=limits))

    def test_more_than_the_cap_is_refused_with_a_length_and_without(self, cloud: SmallCloud, tmp_path: Path) -> None:
        token, context = cloud.token("alice"), member(cloud)
        image_id = cloud.new_image(token, data=None)
        assert cloud.upload(token, image_id, b"x" * 1_000_001).status_int == 413
        taken = 0

        def endless() -> Iterator[bytes]:
            nonlocal taken
            while True:
                taken += 100_000
                yield b"x" * 100_000

        assert cloud.images is not None
        with pytest.raises(errors.TooLarge):
            cloud.images.upload(context, image_id, endless())
        assert taken <= 1_200_000
        assert stored(tmp_path) == []
        assert cloud.image("GET", f"/v2/images/{image_id}", token=token).json["status"] == "queued"

    def test_a_lie_about_the_length_is_refused(self, cloud: SmallCloud, tmp_path: Path) -> None:
        context = member(cloud)
        image_id = cloud.new_image(cloud.token("alice"), data=None)
        assert cloud.images is not None
        for announced in (5, 50):
            with pytest.raises(errors.InvalidInput):
                cloud.images.upload(context, image_id, [b"0123456789"], size_bytes=announced)
        assert stored(tmp_path) == []

    def test_the_quota_of_bytes_counts_those_in_flight(self, cloud: SmallCloud) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        first, second = (cloud.new_image(cloud.token("alice"), data=None) for _ in range(2))

        def slow() -> Iterator[bytes]:
            yield b"x" * 500_000
            with pytest.raises(errors.QuotaExceeded):
                images.upload(context, second, [b"y" * 800_000], size_bytes=800_000)
            yield b"x" * 400_000

        images.upload(context, first, slow(), size_bytes=900_000)
        with pytest.raises(errors.QuotaExceeded):
            images.upload(context, second, [b"y" * 100_000 for _ in range(8)])
        small = cloud.new_image(cloud.token("alice"), data=None)
        images.upload(context, small, [b"y" * 100_000 for _ in range(6)])
        images.delete(context, small)
        images.delete(context, first)
        images.upload(context, second, [b"y" * 800_000], size_bytes=800_000)

    def test_descriptions_without_end_are_refused(self, cloud: SmallCloud) -> None:
        token = cloud.token("alice")
        body = {"disk_format": "raw", "container_format": "bare"}
        answers = [cloud.image("POST", "/v2/images", token=token, body=body).status_int for _ in range(8)]
        assert answers == [201] * 5 + [403] * 3

    def test_many_at_once_do_not_pass_the_limit(self, tmp_path: Path) -> None:
        db = new_database(f"sqlite:///{tmp_path / 'nova.sqlite'}")
        limits = StoreSettings(limits=StoreLimits(images=5))
        cloud = SmallCloud(db=db, store=tmp_path / "store", images=limits)
        made: list[str] = []

        def create() -> None:
            assert cloud.images is not None
            try:
                made.append(cloud.images.create(member(cloud), NewImage(name="x")).id)
            except errors.QuotaExceeded:
                return

        threads = [threading.Thread(target=create) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.dispose()
        assert len(made) == 5

    def test_properties_and_tags_are_bounded_in_small_steps_too(self, cloud: SmallCloud) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        image_id = cloud.new_image(cloud.token("alice"), data=None)
        for start in range(0, 128, 32):
            images.update(
                context, image_id, ImageUpdate(set_properties={f"k{n}": "v" for n in range(start, start + 32)})
            )
        with pytest.raises(errors.QuotaExceeded):
            images.update(context, image_id, ImageUpdate(set_properties={"one": "more"}))
        images.update(context, image_id, ImageUpdate(tags=tuple(f"t{n}" for n in range(128))))
        with pytest.raises(errors.QuotaExceeded):
            images.update(context, image_id, ImageUpdate(add_tags=("more",)))

    def test_only_image_bytes_may_be_larger_than_other_bodies(self, cloud: SmallCloud) -> None:
        token = cloud.token("alice")
        large = {"name": "x", "p": "v" * 200_000}
        assert cloud.image("POST", "/v2/images", token=token, body=large).status_int == 413
        path = "/v2/images/../v2/images/file"
        assert cloud.image("PUT", path, token=token, body=b"x" * 200_000, headers=OCTETS).status_int == 413


class TestCleaningUp:
    """Every byte in the store has a row, or is removed."""

    def test_a_deletion_stops_the_upload_and_nothing_stays(self, cloud: SmallCloud, tmp_path: Path) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        image_id = cloud.new_image(cloud.token("alice"), data=None)
        sent = 0

        def chunks() -> Iterator[bytes]:
            nonlocal sent
            yield b"x" * 1000
            images.delete(context, image_id)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                sent += 1
                yield b"x" * 10

        started = time.monotonic()
        with pytest.raises(errors.InvalidState):
            images.upload(context, image_id, chunks(), size_bytes=10**9)
        assert time.monotonic() - started < 1.5
        assert stored(tmp_path) == []
        with pytest.raises(errors.NotFound):
            images.get(context, image_id)

    @pytest.mark.parametrize("step", ["publish", "receive"])
    def test_a_failing_step_leaves_store_and_table_in_agreement(
        self, cloud: SmallCloud, tmp_path: Path, step: str
    ) -> None:
        context, images, files = member(cloud), cloud.images, cloud.files
        assert images is not None
        image_id = cloud.new_image(cloud.token("alice"), data=None)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        whole = getattr(files, step)
        setattr(files, step, full)
        with pytest.raises(OSError, match="No space"):
            images.upload(context, image_id, [b"bytes"])
        setattr(files, step, whole)
        assert stored(tmp_path) == []
        assert images.get(context, image_id).status == "queued"
        assert images.upload(context, image_id, [b"bytes"]).status == "active"

    def test_what_a_crash_left_is_swept_away(self, cloud: SmallCloud, tmp_path: Path) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        kept = cloud.new_image(cloud.token("alice"))
        dying = cloud.new_image(cloud.token("alice"), data=None)
        upload_id, orphan = str(uuid.uuid4()), str(uuid.uuid4())
        long_ago = time.time() - 10_000
        for name in (f"incoming/{upload_id}", orphan):
            (tmp_path / "store" / name).write_bytes(b"left")
        for path in (tmp_path / "store").rglob("*"):
            os.utime(path, (long_ago, long_ago))
        started = cloud.images and cloud.db.run(lambda tx: tx.now)
        assert started is not None
        values = {
            "status": "saving",
            "upload_id": upload_id,
            "reserved_bytes": 4,
            "touched_at": started.replace(year=2020),
        }
        cloud.db.run(lambda tx: tx.execute(update(ImageRow).where(ImageRow.__table__.c.uuid == dying).values(values)))
        assert images.sweep() == 2
        assert stored(tmp_path) == [f"store/{kept}"]
        assert images.get(context, dying).status == "queued"

    def test_an_upload_that_lives_is_not_swept_away(self, cloud: SmallCloud, tmp_path: Path) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        image_id = cloud.new_image(cloud.token("alice"), data=None)

        def chunks() -> Iterator[bytes]:
            yield b"first"
            for path in (tmp_path / "store" / "incoming").iterdir():
                os.utime(path, (1, 1))
            assert images.sweep() == 0
            yield b"second"

        images.upload(context, image_id, chunks())
        assert b"".join(images.read(context, image_id)) == b"firstsecond"

    def test_the_clean_up_does_not_need_the_callers_token(self, cloud: SmallCloud, tmp_path: Path) -> None:
        context, images = member(cloud), cloud.images
        assert images is not None
        image_id = cloud.new_image(cloud.token("alice"), data=None)

        def chunks() -> Iterator[bytes]:
            yield b"first"
            cloud.call("DELETE", f"/v3/users/{cloud.users['alice'].id}", token=cloud.token("root"))
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            images.upload(context, image_id, chunks())
        assert stored(tmp_path) == []


def test_a_broken_store_tells_nothing(cloud: SmallCloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token = cloud.token("alice")
    image_id = cloud.new_image(token)
    (tmp_path / "store" / image_id).unlink()
    with caplog.at_level(logging.DEBUG):
        answer = cloud.image("GET", f"/v2/images/{image_id}/file", token=token)
    assert answer.status_int == 503
    assert str(tmp_path) not in answer.text


def test_files_are_not_for_everybody(cloud: SmallCloud, tmp_path: Path) -> None:
    image_id = cloud.new_image(cloud.token("alice"))
    assert (tmp_path / "store" / image_id).stat().st_mode & 0o7 == 0
    assert (tmp_path / "store").stat().st_mode & 0o7 == 0


@pytest.mark.parametrize("name", ["x;touch PWN", "$(id)", "-o", "../../etc/passwd", "..", "%2e%2e%2f"])
def test_an_id_is_never_a_path(cloud: SmallCloud, name: str) -> None:
    token = cloud.token("alice")
    assert cloud.image("GET", f"/v2/images/{name}/file", token=token).status_int == 404
    assert cloud.image("POST", "/v2/images", token=token, body={"id": name}).status_int == 400


def test_a_policy_on_downloads_comes_before_every_copy(cloud: SmallCloud, tmp_path: Path) -> None:
    """CVE-2013-4428: whoever read the bytes before, who may not gets none of them"""
    rules = tmp_path / "policy.yaml"
    rules.write_text('"image:download_image": "rule:admin_api"\n')
    strict = SmallCloud(db=cloud.db, store=tmp_path / "store", policy=Policy(str(rules)))
    root = strict.token("root")
    image_id = cloud.new_image(root, visibility="public", data=b"c4n4ry bytes")
    path = f"/v2/images/{image_id}/file"
    for _ in range(2):
        assert strict.image("GET", path, token=root).body == b"c4n4ry bytes"
        for headers in ({}, {"Range": "bytes=0-3"}):
            refused = strict.image("GET", path, token=cloud.token("alice"), headers=headers)
            assert (refused.status_int, b"c4n4ry" in refused.body) == (403, False)
    assert strict.image("GET", f"/v2/images/{image_id}", token=cloud.token("alice")).status_int == 200
