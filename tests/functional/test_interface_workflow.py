# SPDX-License-Identifier: Apache-2.0
"""Cards through a compute host: what guest, server, quota and addresses are afterwards, whichever way it went."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.api.actions import interfaces
from nova.db import addresses, networks, quotas
from nova.domain.network import Network, Nic
from nova.domain.states import OperationState, VmState
from nova.errors import HypervisorError
from tests.functional.workflow_cloud import ALICE, Killed, WorkflowCloud, net_with_details, wait_until

SECOND = "55555555-5555-4555-8555-555555555555"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    yield made
    made.close()


def booted(cloud: WorkflowCloud) -> str:
    """A server in one network, beside which there is another one now."""
    (uuid,) = cloud.boot()
    cloud.settled(uuid)
    plain = net_with_details(Network(id=0, uuid=SECOND, label="second"))
    gateway = {"gateway": "10.9.0.1", "dhcp_server": "10.9.0.1", "dhcp_start": "10.9.0.2"}
    net = dataclasses.replace(plain, cidr="10.9.0.0/16", **gateway)
    cloud.db.run(lambda tx: networks.create(tx, [net]))
    return uuid


def attach(cloud: WorkflowCloud, uuid: str) -> Nic:
    return cloud.db.run(lambda tx: interfaces.attach(cloud.api, tx, ALICE, uuid, network_uuid=SECOND))


def detach(cloud: WorkflowCloud, uuid: str, nic: Nic) -> None:
    cloud.db.run(lambda tx: interfaces.detach(cloud.api, tx, ALICE, uuid, vif_uuid=nic.vif_uuid))


def ended(cloud: WorkflowCloud, uuid: str) -> bool:
    """Whether the last operation went well, once it has ended."""
    open_states = (OperationState.REQUESTED, OperationState.RUNNING)
    wait_until(lambda: cloud.operations(uuid)[0].state not in open_states, 20)
    return cloud.operations(uuid)[0].state is OperationState.FINISHED


def macs(cloud: WorkflowCloud, uuid: str) -> set[str]:
    """The cards that the server has."""
    found = cloud.db.run(lambda tx: addresses.nics_of(tx, [uuid]), write=False)
    return {nic.mac_address for nic in found.get(uuid, ())}


def guest_macs(cloud: WorkflowCloud, uuid: str) -> set[str]:
    return set(cloud.drivers["a"].guests[uuid].cards)


def used(cloud: WorkflowCloud) -> int:
    found = cloud.db.run(lambda tx: quotas.usages(tx, "apples", defaults={"fixed_ips": -1}), write=False)
    return found["fixed_ips"].in_use


def test_a_card_is_plugged_in_and_taken_out_again_with_its_address_and_quota(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    nic = attach(cloud, uuid)
    assert ended(cloud, uuid)
    assert guest_macs(cloud, uuid) == macs(cloud, uuid)
    assert nic.mac_address in macs(cloud, uuid)
    assert (cloud.addresses(uuid), used(cloud)) == (["10.0.0.2", "10.9.0.2"], 2)
    detach(cloud, uuid, nic)
    assert ended(cloud, uuid)
    assert guest_macs(cloud, uuid) == macs(cloud, uuid)
    assert (cloud.addresses(uuid), used(cloud)) == (["10.0.0.2"], 1)
    wait_until(lambda: not _bound(cloud, "10.9.0.2"), 10)
    assert cloud.get(uuid).vm_state is VmState.ACTIVE


def _bound(cloud: WorkflowCloud, address: str) -> bool:
    return bool(cloud.db.run(lambda tx: addresses.get(tx, address), write=False).instance_uuid)


def test_a_card_that_cannot_be_plugged_in_is_given_back(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    cloud.drivers["a"].fail("set_cards", HypervisorError("no more slots"))
    attach(cloud, uuid)
    assert not ended(cloud, uuid)
    assert guest_macs(cloud, uuid) == macs(cloud, uuid)
    assert (cloud.addresses(uuid), used(cloud)) == (["10.0.0.2"], 1)
    assert cloud.get(uuid).vm_state is VmState.ACTIVE


def test_a_card_that_the_guest_does_not_release_stays(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    nic = attach(cloud, uuid)
    assert ended(cloud, uuid)
    cloud.drivers["a"].fail("set_cards", HypervisorError("the guest keeps it"))
    detach(cloud, uuid, nic)
    assert not ended(cloud, uuid)
    assert guest_macs(cloud, uuid) == macs(cloud, uuid)
    assert (len(cloud.addresses(uuid)), used(cloud)) == (2, 2)


@pytest.mark.parametrize("step", ["apply_filters", "plug_in", "report"])
def test_a_killed_host_ends_an_attach_when_it_is_back(cloud: WorkflowCloud, step: str) -> None:
    uuid = booted(cloud)
    cloud.kill("a")

    def die(name: str) -> None:
        if name == step:
            raise Killed

    cloud.start_compute("a", pause_before_step=die)
    nic = attach(cloud, uuid)
    wait_until(lambda: bool(cloud.journals()), 10)
    cloud.kill("a", grace_s=2)
    cloud.start_compute("a")
    assert ended(cloud, uuid)
    assert nic.mac_address in guest_macs(cloud, uuid) == macs(cloud, uuid)
    assert used(cloud) == 2


def test_a_server_that_is_off_gets_its_card_at_its_next_start(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    cloud.stop(uuid)
    cloud.settled(uuid)
    attach(cloud, uuid)
    assert ended(cloud, uuid)
    assert guest_macs(cloud, uuid) != macs(cloud, uuid)
    cloud.start(uuid)
    cloud.settled(uuid)
    assert guest_macs(cloud, uuid) == macs(cloud, uuid)
