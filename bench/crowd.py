# SPDX-License-Identifier: Apache-2.0
"""Many servers in one request: 100 on fake hosts, and four real guests on one host; a part of ``python -m bench``."""

from __future__ import annotations

import json

from bench.api_alone import Caller
from bench.cloud import BenchCloud
from bench.table import Row
from bench.timing import poll, seconds
from tests.integration.production import COMPUTE

SERVERS, FAKE_HOSTS = 100, 4
GUESTS = 4


def rows() -> list[Row]:
    """One row for each."""
    hosts = (COMPUTE, *(f"fake{number}" for number in range(2, FAKE_HOSTS + 1)))
    with BenchCloud(driver="fake", computes=hosts) as cloud:
        fake_s, spent_ms = _boot(cloud, SERVERS)
    with BenchCloud(driver="libvirt") as cloud:
        _boot(cloud, 1)  # fetches the image, and makes the network's wiring
        real_s, _ = _boot(cloud, GUESTS)
    return [
        Row(what=f"{SERVERS} servers at once on {FAKE_HOSTS} fake hosts, POST to all ACTIVE", ours=fake_s, unit="s"),
        Row(what=f"the same, CPU of our own daemons for each of the {SERVERS}", ours=spent_ms, unit="ms"),
        Row(what=f"{GUESTS} real guests at once on one host, POST to all ACTIVE", ours=real_s, unit="s"),
    ]


def _boot(cloud: BenchCloud, count: int) -> tuple[float, float]:
    """Seconds until all are ACTIVE, and milliseconds of processor time for each; they are gone when it returns."""
    caller, image_id = cloud.caller(), cloud.with_image()
    before = cloud.counted()
    took_s = seconds(lambda: _ask_and_wait(caller, image_id, count))
    spent_ms = cloud.counted().since(before).our_cpu_s / count * 1000
    for server in _servers(caller):
        caller.call("DELETE", f"/servers/{server['id']}")
    poll(lambda: not _servers(caller), pause_s=0.1)
    return took_s, spent_ms


def _ask_and_wait(caller: Caller, image_id: str, count: int) -> None:
    body = {"name": "crowd", "imageRef": image_id, "flavorRef": "1", "min_count": count, "max_count": count}
    caller.call("POST", "/servers", {"server": body})
    # A look at one of those that are not there yet: a list of all would cost as much as the boots.
    poll(lambda: not json.loads(caller.get("/servers?status=BUILD&limit=1"))["servers"], pause_s=0.05, timeout_s=300)
    active = [server for server in _servers(caller) if server["status"] == "ACTIVE"]
    if len(active) != count:
        raise RuntimeError(f"{count - len(active)} of {count} boots failed")


def _servers(caller: Caller) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(caller.get("/servers/detail"))["servers"]
    return found
