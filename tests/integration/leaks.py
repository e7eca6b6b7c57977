# SPDX-License-Identifier: Apache-2.0
"""What servers of a production cloud hold, and the proof that nothing is held when they are gone."""

from __future__ import annotations

from sqlalchemy import select

from nova.db import addresses, compute_nodes
from nova.db.models.base import table_of
from nova.db.models.host import InstanceClaimRow
from nova.db.transaction import Transaction
from tests.integration.netns import run
from tests.integration.production import ProductionCloud, wait_until

SHARED = {"_base", "journal", "locks", "ballast", "fake-guests"}
"""Names in a host's directory of instances that are no server's"""


def addresses_held(cloud: ProductionCloud) -> dict[str, str]:
    """The instances by the addresses that are bound to them."""
    found = cloud.db.run(addresses.holders, write=False)
    return {holder.address: holder.instance_uuid for holder in found if holder.instance_uuid}


def claims(cloud: ProductionCloud) -> list[str]:
    """The instances that room is claimed for."""

    def work(tx: Transaction) -> list[str]:
        return list(tx.execute(select(table_of(InstanceClaimRow).c.instance_uuid)).scalars())

    return cloud.db.run(work, write=False)


def used(cloud: ProductionCloud) -> dict[str, tuple[int, int, int]]:
    """VCPUs, MB and GB that are counted as used, by host."""
    nodes = cloud.db.run(compute_nodes.find, write=False)
    return {node.host: (node.vcpus_used, node.memory_mb_used, node.disk_gb_used) for node in nodes}


def journals(cloud: ProductionCloud) -> list[str]:
    """What compute hosts have not finished."""
    return [str(path) for host in cloud.computes for path in cloud.files.state(host).glob("instances/journal/*")]


def disks(cloud: ProductionCloud) -> list[str]:
    """The directories of instances."""
    found = [path for host in cloud.computes for path in cloud.files.state(host).glob("instances/*")]
    return [str(path) for path in found if path.name not in SHARED]


def domains(cloud: ProductionCloud) -> list[str]:
    """The guests that libvirt, or the fake driver, knows."""
    fakes = [path for host in cloud.computes for path in cloud.files.state(host).glob("instances/fake-guests/*")]
    return [path.stem for path in fakes] + (
        run("virsh", "-c", cloud.uri, "list", "--all", "--name").split() if cloud.uri else []
    )


def taps(cloud: ProductionCloud) -> list[str]:
    """The network cards of guests on their host."""
    lines = run("ip", "-n", cloud.namespace, "-br", "link").splitlines()
    return [line for line in lines if line.startswith("tap")]


def assert_nothing_held(cloud: ProductionCloud) -> None:
    """Nothing is left of any server; what is given back after the answer has a moment to go."""
    wait_until(lambda: not addresses_held(cloud), f"addresses to be free: {addresses_held(cloud)}", timeout_s=30)
    wait_until(lambda: not journals(cloud), "journals to be gone", timeout_s=30)
    assert claims(cloud) == []
    assert set(used(cloud).values()) == {(0, 0, 0)}
    assert (disks(cloud), domains(cloud), taps(cloud)) == ([], [], [])
