# SPDX-License-Identifier: Apache-2.0
"""Our image client against our image API, over real sockets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import requests

from nova import errors
from nova.context import RequestContext
from nova.image import ImageFilters, ImageUpdate, NewImage, Page
from nova.image.remote import RemoteImages
from nova.neighbours.glance import GlanceClient, GlanceSettings
from nova.secret import Secret
from tests.functional.cloud import password_auth
from tests.integration.clients.test_openstack_client import addresses

__all__ = ["addresses"]


@pytest.fixture(scope="module")
def images(addresses: list[str]) -> RemoteImages:
    return RemoteImages(GlanceClient(GlanceSettings(servers=(addresses[1],))))


def caller(addresses: list[str], user: str) -> RequestContext:
    answer = requests.post(f"{addresses[0]}/v3/auth/tokens", json=password_auth(user), timeout=10)
    project = answer.json()["token"]["project"]["id"]
    return RequestContext(auth_token=Secret(answer.headers["X-Subject-Token"]), project_id=project)


def test_an_image_lives_its_whole_life(addresses: list[str], images: RemoteImages) -> None:
    alice, bob = caller(addresses, "alice"), caller(addresses, "bob")
    wanted = NewImage(name="far", disk_format="raw", container_format="bare", properties={"a/b": "1", "c": "2"})
    made = images.create(alice, wanted)
    assert made.status == "queued"
    with pytest.raises(errors.InvalidState):
        images.read(alice, made.id)
    data = [b"x" * 100_000, b"y" * 50_000]
    active = images.upload(alice, made.id, iter(data))
    assert (active.status, active.size_bytes) == ("active", 150_000)
    assert active.hash_value == hashlib.sha512(b"".join(data)).hexdigest()
    assert b"".join(images.read(alice, made.id)) == b"".join(data)
    changes = ImageUpdate(name="near", set_properties={"a/b": "9"}, remove_properties=("c",), add_tags=("t",))
    changed = images.update(alice, made.id, changes)
    assert (changed.name, changed.properties, changed.tags) == ("near", {"a/b": "9"}, ("t",))
    with pytest.raises(errors.NotFound):
        images.get(bob, made.id)
    images.add_member(alice, made.id, bob.project_id)
    images.set_member_status(bob, made.id, bob.project_id, "accepted")
    assert [image.id for image in images.find(bob)] == [made.id]
    assert [member.status for member in images.members(alice, made.id)] == ["accepted"]
    with pytest.raises(errors.Forbidden):
        images.delete(bob, made.id)
    images.remove_member(alice, made.id, bob.project_id)
    images.delete(alice, made.id)
    with pytest.raises(errors.NotFound):
        images.get(alice, made.id)


def test_lists_go_over_pages_and_through_filters(addresses: list[str], images: RemoteImages) -> None:
    alice = caller(addresses, "alice")
    ids = [images.create(alice, NewImage(name=f'n,"{number}"', properties={"os": "x"})).id for number in range(5)]
    named = images.find(alice, filters=ImageFilters(names=('n,"1"', 'n,"3"')))
    assert {image.id for image in named} == {ids[1], ids[3]}
    ordered = images.find(alice, page=Page(sort=(("name", True),), limit=3))
    assert [image.id for image in ordered] == ids[:3]
    assert len(images.find(alice, filters=ImageFilters(properties={"os": "x"}))) == 5
    for image_id in ids:
        images.delete(alice, image_id)


def test_a_refused_upload_is_not_read_to_its_end(addresses: list[str], images: RemoteImages) -> None:
    alice, bob = caller(addresses, "alice"), caller(addresses, "bob")
    image_id = images.create(alice, NewImage(name="x", disk_format="raw", container_format="bare")).id
    sent = 0

    def much() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 1_000_000
            yield b"x" * 1_000_000

    with pytest.raises((errors.NotFound, errors.Unavailable)):
        images.upload(bob, image_id, much())
    assert sent < 50_000_000
    images.delete(alice, image_id)


def test_without_a_token_the_image_service_is_named(addresses: list[str], images: RemoteImages) -> None:
    with pytest.raises(errors.Unavailable, match="does not accept the token"):
        images.get(RequestContext(), "i")
