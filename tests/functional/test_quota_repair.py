# SPDX-License-Identifier: Apache-2.0
"""Quotas of servers: exact under 32 requests at once, and set right when somebody made them wrong."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from nova.conductor.quota_repair import recount_quotas
from nova.db import quotas
from nova.db.quotas import USAGES
from nova.errors import QuotaExceeded
from tests.functional.workflow_cloud import ALICE, WorkflowCloud

AT_ONCE = 32
LIMIT = 7


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    yield made
    made.close()


def counted(cloud: WorkflowCloud, user: str = "") -> dict[str, int]:
    found = cloud.db.run(lambda tx: quotas.usages(tx, ALICE.project_id, user_id=user, defaults={}), write=False)
    return {name: usage.in_use for name, usage in found.items() if name in ("instances", "cores", "ram")}


def spoil(cloud: WorkflowCloud, amount: int) -> None:
    with cloud.db.transaction() as tx:
        tx.execute(update(USAGES).where(USAGES.c.resource == "cores").values(in_use=amount))


def test_of_many_requests_at_once_as_many_succeed_as_fit(cloud: WorkflowCloud) -> None:
    limits = {**cloud.api.settings.default_quotas, "instances": LIMIT}
    cloud.api = dataclasses.replace(cloud.api, settings=dataclasses.replace(cloud.api.settings, default_quotas=limits))
    made: list[str] = []
    refused: list[QuotaExceeded] = []
    ready = threading.Barrier(AT_ONCE)

    def ask() -> None:
        ready.wait(30)
        try:
            made.extend(cloud.boot())
        except QuotaExceeded as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(made), len(refused)) == (LIMIT, AT_ONCE - LIMIT)
    assert counted(cloud) == {"instances": LIMIT, "cores": LIMIT, "ram": LIMIT * 1024}
    cloud.settled(*made)
    for uuid in made:
        cloud.delete(uuid)
    cloud.settled(*made)
    assert counted(cloud) == {"instances": 0, "cores": 0, "ram": 0}


def test_a_counter_that_is_wrong_is_set_right(cloud: WorkflowCloud) -> None:
    cloud.settled(*cloud.boot(2))
    assert recount_quotas(cloud.db) == 0
    spoil(cloud, 99)
    assert recount_quotas(cloud.db) == 2
    assert counted(cloud)["cores"] == counted(cloud, "alice")["cores"] == 2


def test_nothing_is_set_while_something_is_being_done(cloud: WorkflowCloud) -> None:
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    spoil(cloud, 99)
    cloud.kill("a")
    cloud.stop(uuid)
    assert recount_quotas(cloud.db) == 0
    assert counted(cloud)["cores"] == 99
    cloud.start_compute("a")
    cloud.settled(uuid)
    assert recount_quotas(cloud.db) == 2
