# SPDX-License-Identifier: Apache-2.0
"""nova-volume's answers, with a real database and drivers in memory."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nova import errors
from nova.context import admin_context
from nova.db import services, volumes
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.volume.service import VolumeHost
from nova.volume.workplace import VolumeSettings, Workplace

CONTEXT = admin_context("a test")


class Driver:
    """Keeps volumes in memory; *trouble* is raised by whatever is asked next."""

    name = "memory"

    def __init__(self) -> None:
        self.made: list[str] = []
        self.calls: list[str] = []
        self.trouble: errors.NovaError | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.asked = threading.Event()

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        self.asked.set()
        assert self.may_go_on.wait(10)
        if self.trouble is not None:
            raise self.trouble

    def check(self) -> None:
        self._ask("check")

    def create(self, volume: Volume) -> None:
        self._ask("create")
        self.made.append(volume.id)

    def delete(self, volume: Volume) -> None:
        self._ask("delete")
        self.made.remove(volume.id)

    def path(self, volume: Volume) -> Path:
        return Path("/dev", volume.name)

    def capacity(self) -> tuple[float, float]:
        return 100.0, 40.0


class Target:
    """Exports nothing, and nothing was exported."""

    def targets(self) -> dict[int, str]:
        return {}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/nova.sqlite"))
    Base.metadata.create_all(found.engine)
    yield found
    found.dispose()


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def host(db: Database, driver: Driver) -> VolumeHost:
    settings = VolumeSettings(host="v1", portal="192.0.2.1:3260")
    return VolumeHost(Workplace(db=db, driver=driver, target=Target(), settings=settings))  # type: ignore[arg-type]


def recorded(db: Database, status: VolumeStatus = VolumeStatus.CREATING, **values: str) -> Volume:
    wanted = Volume(id=str(uuid.uuid4()), user_id="anne", project_id="acme", size_gb=1, status=status)
    return db.run(lambda tx: volumes.create(tx, replace(wanted, **values)))


def now(db: Database, volume: Volume) -> Volume:
    return db.run(lambda tx: volumes.get(tx, volume.id), write=False)


def test_a_volume_is_made_and_is_this_hosts(host: VolumeHost, driver: Driver, db: Database) -> None:
    volume = recorded(db)
    host.create(CONTEXT, volume_id=volume.id)
    assert (now(db, volume).status, now(db, volume).host) == (VolumeStatus.AVAILABLE, "v1")
    assert driver.made == [volume.id]


def test_asking_again_makes_nothing_again(host: VolumeHost, driver: Driver, db: Database) -> None:
    volume = recorded(db)
    host.create(CONTEXT, volume_id=volume.id)
    host.create(CONTEXT, volume_id=volume.id)
    assert driver.calls == ["create"]


def test_a_request_that_comes_while_it_is_carried_out_is_dropped(
    host: VolumeHost, driver: Driver, db: Database
) -> None:
    volume = recorded(db)
    driver.may_go_on.clear()
    first = threading.Thread(target=host.create, args=(CONTEXT,), kwargs={"volume_id": volume.id})
    first.start()
    try:
        assert driver.asked.wait(10)
        host.create(CONTEXT, volume_id=volume.id)
    finally:
        driver.may_go_on.set()
        first.join(10)
    assert driver.calls == ["create"]
    assert now(db, volume).status is VolumeStatus.AVAILABLE


def test_a_failure_is_the_volumes_and_its_owner_reads_why(host: VolumeHost, driver: Driver, db: Database) -> None:
    volume = recorded(db)
    driver.trouble = errors.NoCapacity("There is no room on the host.")
    host.create(CONTEXT, volume_id=volume.id)
    assert (now(db, volume).status, now(db, volume).fault) == (VolumeStatus.ERROR, "There is no room on the host.")


def test_a_volume_of_another_host_or_of_nobody_is_left_alone(host: VolumeHost, driver: Driver, db: Database) -> None:
    volume = recorded(db, host="v2")
    host.create(CONTEXT, volume_id=volume.id)
    host.create(CONTEXT, volume_id=str(uuid.uuid4()))
    assert driver.calls == []
    assert now(db, volume).host == "v2"


def test_a_deleted_volume_is_gone_from_the_host_and_the_database(
    host: VolumeHost, driver: Driver, db: Database
) -> None:
    volume = recorded(db)
    host.create(CONTEXT, volume_id=volume.id)
    db.run(lambda tx: volumes.begin_delete(tx, volume.id, project_id="acme"))
    host.delete(CONTEXT, volume_id=volume.id)
    host.delete(CONTEXT, volume_id=volume.id)
    assert driver.made == []
    with pytest.raises(errors.NotFound):
        now(db, volume)


def test_a_restarted_daemon_goes_on_with_what_was_interrupted(host: VolumeHost, driver: Driver, db: Database) -> None:
    half_made = recorded(db, host="v1")
    half_deleted = recorded(db, VolumeStatus.DELETING, host="v1")
    driver.made.append(half_deleted.id)
    others = recorded(db, host="v2")
    host.start_up(CONTEXT)
    assert now(db, half_made).status is VolumeStatus.AVAILABLE
    assert driver.made == [half_made.id]
    assert now(db, others).status is VolumeStatus.CREATING
    with pytest.raises(errors.NotFound):
        now(db, half_deleted)


def test_a_host_whose_driver_does_not_work_has_nothing_free(host: VolumeHost, driver: Driver, db: Database) -> None:
    def told() -> list[tuple[str, float, float]]:
        long_ago = datetime.datetime(2012, 1, 1)  # noqa: DTZ001
        found = db.run(lambda tx: volumes.capacities(tx, alive_since=long_ago), write=False)
        return [(row.driver, row.total_gb, row.free_gb) for row in found]

    me = {"host": "v1", "binary": "nova-volume", "topic": "volume", "availability_zone": "nova", "enabled": True}
    db.run(lambda tx: services.heartbeat(tx, **me))  # type: ignore[arg-type]
    host.look_after(CONTEXT)
    assert told() == [("memory", 100.0, 40.0)]
    driver.trouble = errors.Unavailable("The volume group is not there.")
    host.look_after(CONTEXT)
    assert told() == [("memory", 0.0, 0.0)]
