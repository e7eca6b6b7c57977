# SPDX-License-Identifier: Apache-2.0
"""/images, as older compute clients see the image service."""

from __future__ import annotations

from tests.functional.compute_cloud import ADMIN, IMAGE, QUEUED, ComputeCloud


def test_images_are_listed_with_three_links(cloud: ComputeCloud) -> None:
    listed = cloud.ok("GET", "/images")["images"]
    assert len(listed) == 5
    assert [link["rel"] for link in listed[0]["links"]] == ["self", "bookmark", "alternate"]
    assert [each["name"] for each in cloud.ok("GET", "/images?name=tiny")["images"]] == ["tiny"]
    assert cloud.ok("GET", "/images?limit=2")["images_links"]
    assert cloud.refused("GET", "/images?changes-since=x", status=400)


def test_an_image_is_shown_in_the_words_of_the_compute_api(cloud: ComputeCloud) -> None:
    shown = cloud.ok("GET", f"/images/{IMAGE}")["image"]
    assert (shown["status"], shown["progress"], shown["OS-EXT-IMG-SIZE:size"]) == ("ACTIVE", 100, 10)
    assert shown["metadata"] == {"architecture": "x86_64"}
    assert cloud.ok("GET", f"/images/{QUEUED}")["image"]["progress"] == 25
    saving = cloud.ok("GET", "/images/detail?status=SAVING")["images"]
    assert [each["id"] for each in saving] == [QUEUED]
    assert cloud.refused("GET", "/images/none", status=404)


def test_metadata_is_changed_by_who_may(cloud: ComputeCloud) -> None:
    path = f"/images/{IMAGE}/metadata"
    assert cloud.ok("GET", f"{path}/architecture") == {"meta": {"architecture": "x86_64"}}
    merged = cloud.ok("POST", path, {"metadata": {"a": "b"}}, who=ADMIN)
    assert merged == {"metadata": {"architecture": "x86_64", "a": "b"}}
    assert cloud.ok("PUT", f"{path}/a", {"meta": {"a": "c"}}, who=ADMIN) == {"meta": {"a": "c"}}
    assert cloud.ok("PUT", path, {"metadata": {"z": "y"}}, who=ADMIN) == {"metadata": {"z": "y"}}
    assert cloud.call("DELETE", f"{path}/z", who=ADMIN).status_int == 204
    assert cloud.refused("DELETE", f"{path}/z", status=404, who=ADMIN)
    assert cloud.refused("POST", path, {"metadata": {"a": "b"}}, status=403)
    many = {"metadata": {str(number): "x" for number in range(129)}}
    assert cloud.refused("POST", path, many, status=403, who=ADMIN)


def test_images_are_deleted_by_who_may(cloud: ComputeCloud) -> None:
    assert cloud.refused("DELETE", f"/images/{IMAGE}", status=403)
    assert cloud.call("DELETE", f"/images/{IMAGE}", who=ADMIN).status_int == 204
    assert cloud.refused("GET", f"/images/{IMAGE}", status=404)
