# SPDX-License-Identifier: Apache-2.0
"""Separate daemons with the fake driver: start-up, memory, and what a boot costs; a part of ``python -m bench``.

The wanted values come from what upstream Nova (Zed; fake driver, one API worker, one host, MariaDB, RabbitMQ) took on a
machine of the same kind.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from bench.api_alone import answers
from bench.cloud import DAEMONS, BenchCloud, Counted, boot, is_active
from bench.table import Row
from bench.timing import best_of, cpu_s, poll, pss_mib
from nova.db.instances.rows import INSTANCES
from tests.integration.production import STARTED
from tools.quickstart.layout import APIS

UPSTREAM_BOOTS_A_MINUTE = 102
UPSTREAM_CPU_S, UPSTREAM_OWN_CPU_S = 0.75, 0.34
UPSTREAM_LATENCY_MS = 326
UPSTREAM_MIB = 583
UPSTREAM_START_S = 1.5
BOOTS, CLIENTS, LATENCY_TURNS = 200, 8, 15
START_TURNS = 3


def rows() -> list[Row]:
    """All of it, on one cloud."""
    with BenchCloud(driver="fake") as cloud:
        image_id = cloud.with_image()
        memory = _memory(cloud)
        idle = cloud.idle()
        latency = _latency(cloud, image_id)
        throughput = _throughput(cloud, image_id, idle)
        return [*_start_up(cloud), *memory, latency, *throughput]


def _start_up(cloud: BenchCloud) -> list[Row]:
    """From the start of a program to its first answer, or to its word that it serves."""
    floor_s = best_of(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    return [row for name in DAEMONS for row in _started(cloud, name, floor_s)]


def _started(cloud: BenchCloud, name: str, floor_s: float) -> list[Row]:
    daemon = cloud.daemons[name]
    port = APIS["osapi_compute"]

    def serves() -> bool:
        return answers(port) if name == "nova-api" else STARTED in daemon.said()

    times, spent = [], []
    for _ in range(START_TURNS):
        daemon.stop()
        began_at = time.perf_counter()
        daemon.start()
        poll(serves)
        times.append(time.perf_counter() - began_at)
        spent.append(cpu_s(cloud.pids_of([name])))
    start = Row(
        what=f"start {name} (floor: python -c pass)",
        ours=min(times),
        floor=floor_s,
        unit="s",
        at_most=UPSTREAM_START_S / 2 if name == "nova-api" else None,
    )
    return [start, Row(what=f"start {name}, processor time", ours=min(spent), unit="s")]


def _memory(cloud: BenchCloud) -> list[Row]:
    each = [(name, pss_mib(cloud.pids_of([name]))) for name in DAEMONS]
    total = sum(mib for _, mib in each)
    return [
        *(Row(what=f"idle memory of {name} (PSS)", ours=mib, unit="MiB") for name, mib in each),
        Row(what="idle memory of these four daemons", ours=total, unit="MiB", at_most=UPSTREAM_MIB / 3),
    ]


def _latency(cloud: BenchCloud, image_id: str) -> Row:
    caller = cloud.caller()
    times = []
    for number in range(LATENCY_TURNS):
        began_at = time.perf_counter()
        uuid = boot(caller, image_id, f"one-{number}")
        poll(lambda uuid=uuid: is_active(caller, uuid))
        times.append(time.perf_counter() - began_at)
    what = "POST to ACTIVE with the fake driver, one after another"
    return Row(what=what, ours=statistics.median(times) * 1000, unit="ms", at_most=UPSTREAM_LATENCY_MS)


def _throughput(cloud: BenchCloud, image_id: str, idle: Counted) -> list[Row]:
    """Clients that ask and ask; it ends when all servers are ACTIVE."""
    callers = [cloud.caller() for _ in range(CLIENTS)]
    before = cloud.counted()
    began_at = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda number: _boot_some(callers[number], image_id, number), range(CLIENTS)))
    poll(lambda: _active(cloud) == BOOTS + LATENCY_TURNS, timeout_s=300, pause_s=0.05)
    took_s = time.monotonic() - began_at
    spent = cloud.counted().since(before)
    each = spent.per(BOOTS)
    idle_share = took_s / BOOTS
    return [
        Row(
            what=f"boots a minute, fake driver, {CLIENTS} clients",
            ours=BOOTS / took_s * 60,
            unit="/min",
            at_least=10 * UPSTREAM_BOOTS_A_MINUTE,
        ),
        Row(
            what="CPU for each boot, database and broker too",
            ours=each.all_cpu_s * 1000,
            unit="ms",
            at_most=UPSTREAM_CPU_S * 100,
        ),
        Row(
            what="CPU for each boot, our own daemons",
            ours=each.our_cpu_s * 1000,
            unit="ms",
            at_most=UPSTREAM_OWN_CPU_S * 100,
        ),
        Row(
            what="SQL statements for each boot",
            ours=each.statements - idle.statements * idle_share,
            unit="",
            at_most=60,
        ),
        Row(
            what="messages for each boot",
            ours=each.messages - idle.messages * idle_share,
            unit="",
            at_most=10,
        ),
    ]


def _boot_some(caller: object, image_id: str, number: int) -> None:
    for turn in range(BOOTS // CLIENTS):
        boot(caller, image_id, f"many-{number}-{turn}")


def _active(cloud: BenchCloud) -> int:
    statement = select(func.count()).where(INSTANCES.c.vm_state == "active", INSTANCES.c.task_state.is_(None))
    return int(cloud.db.run(lambda tx: tx.execute(statement).scalar_one(), write=False))
