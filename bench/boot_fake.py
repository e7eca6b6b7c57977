# SPDX-License-Identifier: Apache-2.0
"""How fast servers are made when the hypervisor costs nothing: boots a minute, processor time, statements, messages.

    python -m bench.boot_fake [--boots 500] [--clients 8] [--database URL]

All daemons run in one process with messages in memory, so the numbers are those of our own code and of the database.
Without a URL the database is SQLite in a directory of its own, which is removed at the end.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.functional.workflow_cloud import WorkflowCloud, wait_until


def main() -> None:
    """Boot, wait until all are ACTIVE, print one line per number."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="nova-bench-") as directory:
        cloud = WorkflowCloud(Path(directory), url=arguments.database)
        try:
            cloud.add_scheduler()
            cloud.add_network()
            cloud.add_host(
                "a", memory_mb=4 * 1024 * arguments.boots, vcpus=arguments.boots, disk_gb=10 * arguments.boots
            )
            cloud.settled(*cloud.boot())
            measure(cloud, boots=arguments.boots, clients=arguments.clients)
        finally:
            cloud.close()


def measure(cloud: WorkflowCloud, *, boots: int, clients: int) -> None:
    """Print what *boots* boots by *clients* clients at once took."""
    statements, sent = cloud.db.statements, sum(cloud.sent.values())
    began_at, cpu_s = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda _: cloud.boot(), range(boots)))
    wait_until(lambda: len(cloud.drivers["a"].guests) > boots and not cloud.journals(), 600)
    took_s, cpu_s = time.monotonic() - began_at, time.process_time() - cpu_s
    print(f"boots a minute        {boots / took_s * 60:8.0f}")
    print(f"CPU seconds per boot  {cpu_s / boots:8.4f}")
    print(f"statements per boot   {(cloud.db.statements - statements) / boots:8.1f}")
    print(f"messages per boot     {(sum(cloud.sent.values()) - sent) / boots:8.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boots", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--database", default="")
    return parser.parse_args()


if __name__ == "__main__":
    main()
