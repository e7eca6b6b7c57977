# SPDX-License-Identifier: Apache-2.0
"""Daemons killed at each step of a boot, a broker and a database that go away, and a crowd: nothing is lost or leaked.

The hypervisor is a fake one; processes, broker, database and network are real.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova.compute.operations.boot import STEPS
from nova.compute.runner import REPORTING
from tests.integration.boots import Boots, accepted, blank_image
from tests.integration.databases import MariaDb
from tests.integration.leaks import addresses_held, claims, used
from tests.integration.production import COMPUTE, CONTROLLER, ProductionCloud, shown_on_failure, wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow]

OUTAGE_S = 20.0
HOSTS = (COMPUTE, "compute2", "compute3")
STEPS_OF = {
    "nova-compute": [*(step.name for step in STEPS), REPORTING],
    "nova-conductor": ["take_up", "select_hosts", "allocate", "hand_over", "order", "finish_operation"],
    "nova-scheduler": ["look", "claim", "answer"],
    "nova-network": ["record", "tell_dhcp", "answer"],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[ProductionCloud]:
    with ProductionCloud(
        MariaDb.create, driver="fake", computes=HOSTS, api_workers=2, grace_s=3, shared_images=True
    ) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def boots(cloud: ProductionCloud, tmp_path_factory: pytest.TempPathFactory) -> Boots:
    return Boots(cloud, blank_image(tmp_path_factory.mktemp("image")))


@pytest.mark.parametrize(("daemon", "step"), [(name, step) for name, steps in STEPS_OF.items() for step in steps])
def test_a_daemon_killed_before_any_step_of_a_boot_leaves_it_to_its_successor(
    cloud: ProductionCloud, boots: Boots, daemon: str, step: str
) -> None:
    with shown_on_failure(cloud):
        paused = paused_file(cloud, daemon)
        paused.unlink(missing_ok=True)
        cloud.restart(daemon, f"--workarounds-pause_before_step={daemon.removeprefix('nova-')}:{step}")
        server = boots.ask(f"{daemon} {step}", host=COMPUTE)
        wait_until(paused.exists, f"{daemon} before {step}")
        cloud.restart(daemon)
        boots.assert_active(server)
        assert list(addresses_held(cloud).values()) == claims(cloud) == [server]
        boots.delete(server)


def paused_file(cloud: ProductionCloud, daemon: str) -> Path:
    """What a daemon writes when it has come to the step before which it waits."""
    return cloud.files.state(COMPUTE if daemon == "nova-compute" else CONTROLLER) / "paused"


def test_boots_outlive_a_broker_that_is_away_and_an_api_that_dies_meanwhile(
    cloud: ProductionCloud, boots: Boots
) -> None:
    with shown_on_failure(cloud):
        servers = [boots.ask(f"before {number}") for number in range(3)]
        cloud.broker.kill()
        back_at = time.monotonic() + OUTAGE_S
        servers += [accepted(boots, "during")]
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(accepted, boots, "orphan")
            wait_until(
                lambda: asked.done() or any(one["name"] == "orphan" for one in boots.listed()), "a recorded boot"
            )
            cloud.restart("nova-api")
            servers += [asked.result()]
        wait_until(lambda: time.monotonic() > back_at, "the end of the outage")
        cloud.broker.start()
        servers += [accepted(boots, "before any heartbeat")]
        everything_ends_well(boots, servers)


def test_boots_outlive_a_database_that_is_away(cloud: ProductionCloud, boots: Boots) -> None:
    with shown_on_failure(cloud):
        servers = [boots.ask(f"before {number}") for number in range(3)]
        cloud.database.kill()
        back_at = time.monotonic() + OUTAGE_S
        servers += [accepted(boots, "during")]
        wait_until(lambda: time.monotonic() > back_at, "the end of the outage")
        cloud.database.start()
        everything_ends_well(boots, servers)


def everything_ends_well(boots: Boots, servers: list[str]) -> None:
    """All servers that are there become ACTIVE, the accepted ones among them, and can be deleted."""
    there = [one["id"] for one in wait_until(boots.listed, "an API that answers")]
    assert {server for server in servers if server} <= set(there)
    for server in there:
        boots.assert_active(server, timeout_s=90)
    boots.delete(*there)


def test_twenty_boots_at_once_on_room_for_fifteen(cloud: ProductionCloud, boots: Boots) -> None:
    """With two schedulers and two API workers: nothing is promised twice."""
    flavor = {"name": "huge", "id": "huge", "ram": 200 * 1024, "vcpus": 1, "disk": 1}
    with shown_on_failure(cloud), cloud.one_more("nova-scheduler-2", "nova-scheduler", host="controller2"):
        boots.http.compute("POST", "/flavors", {"flavor": flavor})
        with ThreadPoolExecutor(20) as pool:
            servers = list(pool.map(lambda number: boots.ask(f"crowd {number}", flavor="huge"), range(20)))
        ended = [boots.ended(server) for server in servers]
        assert Counter(one["status"] for one in ended) == {"ACTIVE": 15, "ERROR": 5}
        assert all("No valid host" in one["fault"]["message"] for one in ended if one["status"] == "ERROR")
        active = sorted(one["id"] for one in ended if one["status"] == "ACTIVE")
        assert used(cloud) == dict.fromkeys(HOSTS, (5, 5 * 200 * 1024, 5))
        assert sorted(claims(cloud)) == active
        wait_until(lambda: sorted(addresses_held(cloud).values()) == active, "the addresses of the others to be free")
        shown = [address["addr"] for one in ended for cards in one["addresses"].values() for address in cards]
        assert len(shown) == len(set(shown)) == 15
        boots.delete(*servers)
