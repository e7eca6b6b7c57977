# SPDX-License-Identifier: Apache-2.0
"""The identity and image stores on MariaDB and PostgreSQL: life and death of tokens, claims that come at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.context import RequestContext
from nova.db.images import numbers
from nova.db.images.uploads import StoreLimits
from nova.identity import Scope
from nova.identity.builtin import BuiltinIdentity
from nova.image import ImageFilters, ImageUpdate, NewImage, Page
from nova.image.uploading import StoreSettings
from nova.secret import Secret
from tests.functional.cloud import SmallCloud, cheap_hasher, new_database
from tests.integration.databases import DatabaseServer, mariadb, postgresql

__all__ = ["mariadb", "postgresql"]

LIMITS = StoreLimits(images=10, total_bytes=1_000_000)


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each of the two."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, DatabaseServer)
    return found


@pytest.fixture
def cloud(server: DatabaseServer, tmp_path: Path) -> Iterator[SmallCloud]:
    db = new_database(server.fresh_url())
    yield SmallCloud(db=db, store=tmp_path / "store", images=StoreSettings(limits=LIMITS))
    db.dispose()


def member(cloud: SmallCloud) -> RequestContext:
    return RequestContext(user_id=cloud.users["alice"].id, project_id=cloud.project_id("alice"), roles=("member",))


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What *count* threads that start together got: results, or the errors that were raised."""
    barrier, found = threading.Barrier(count), list[object]()

    def run(number: int) -> None:
        barrier.wait()
        try:
            found.append(work(number))
        except errors.NovaError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_token_revoked_in_the_second_of_its_issue_is_dead_in_another_process(cloud: SmallCloud) -> None:
    other = BuiltinIdentity(cloud.db, hasher=cheap_hasher())
    token = Secret(cloud.token("alice"))
    child = cloud.identity.token_by_token(token, scope=Scope())
    caller = other.validate(child.value)
    assert caller.issued_at == child.issued_at
    assert caller.expires_at == child.expires_at
    cloud.identity.revoke(token)
    for dead in (token, child.value):
        with pytest.raises(errors.Unauthenticated):
            other.validate(dead)


def test_no_child_survives_a_revocation_that_comes_at_the_same_time(cloud: SmallCloud) -> None:
    for _ in range(10):
        parent = Secret(cloud.token("alice"))

        def act(number: int, parent: Secret = parent) -> object:
            if number == 0:
                return cloud.identity.revoke(parent)
            return cloud.identity.token_by_token(parent, scope=Scope())

        for found in at_once(5, act):
            value = getattr(found, "value", None)
            if value is not None:
                with pytest.raises(errors.Unauthenticated):
                    cloud.identity.validate(value)


def test_users_are_told_apart_by_case_and_trailing_blanks_and_may_be_of_any_script(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    for name in ("Alice", "álice", "愛麗絲", "🙂" * 255):
        answer = cloud.call("POST", "/v3/users", token=root, body={"user": {"name": name}})
        assert answer.status_int == 201, answer.text
        shown = cloud.call("GET", f"/v3/users/{answer.json['user']['id']}", token=root).json["user"]
        assert shown["name"] == name
    again = cloud.call("POST", "/v3/users", token=root, body={"user": {"name": "alice"}})
    assert again.status_int == 409


def test_the_quota_of_images_holds_for_creations_at_once(cloud: SmallCloud) -> None:
    images, context = cloud.images, member(cloud)
    assert images is not None
    found = at_once(20, lambda number: images.create(context, NewImage(name=str(number))))
    assert sum(isinstance(each, errors.QuotaExceeded) for each in found) == 10
    assert len(images.find(context)) == 10


def test_the_quota_of_bytes_holds_for_uploads_at_once(cloud: SmallCloud) -> None:
    images, context = cloud.images, member(cloud)
    assert images is not None
    ids = [cloud.new_image(cloud.token("alice"), data=None) for _ in range(8)]
    found = at_once(8, lambda number: images.upload(context, ids[number], [b"x" * 300_000], size_bytes=300_000))
    assert sum(isinstance(each, errors.QuotaExceeded) for each in found) == 5
    assert len(images.find(context, filters=ImageFilters(statuses=("active",)))) == 3


def test_only_one_of_two_uploads_of_an_image_wins(cloud: SmallCloud) -> None:
    images, context = cloud.images, member(cloud)
    assert images is not None
    image_id = cloud.new_image(cloud.token("alice"), data=None)
    found = at_once(4, lambda number: images.upload(context, image_id, [b"%d" % number]))
    assert sum(isinstance(each, errors.InvalidState) for each in found) == 3, found


def test_changes_at_once_lose_nothing_and_pass_no_limit(cloud: SmallCloud) -> None:
    images, context = cloud.images, member(cloud)
    assert images is not None
    image_id = cloud.new_image(cloud.token("alice"), data=None)

    def add(number: int) -> object:
        some = {f"k{number}-{index}": "v" for index in range(20)}
        return images.update(context, image_id, ImageUpdate(set_properties=some))

    found = at_once(8, add)
    assert sum(isinstance(each, errors.QuotaExceeded) for each in found) == 2
    assert len(images.get(context, image_id).properties) == 120


def test_lists_are_ordered_and_paged_alike(cloud: SmallCloud) -> None:
    images, context = cloud.images, member(cloud)
    assert images is not None
    for name, data in (("b", b"xx"), ("a", None), ("c", b"x"), ("a", b"xxx")):
        cloud.new_image(cloud.token("alice"), name=name, data=data)
    order = (("name", True), ("size", False))
    whole = images.find(context, page=Page(sort=order))
    assert [(image.name, image.size_bytes) for image in whole] == [("a", 3), ("a", None), ("b", 2), ("c", 1)]
    paged, marker = [], ""
    while part := images.find(context, page=Page(sort=order, limit=1, marker=marker)):
        paged += part
        marker = part[-1].id
    assert tuple(paged) == whole


def test_numbers_asked_for_at_once_are_the_same(cloud: SmallCloud) -> None:
    ids = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(20)]
    found = at_once(6, lambda _: cloud.db.run(lambda tx: numbers.numbers_of(tx, ids)))
    assert all(each == found[0] for each in found)
    assert len(set(found[0].values())) == 20  # type: ignore[attr-defined]
