# SPDX-License-Identifier: Apache-2.0
"""Which calls starting and looking cost, counted at the library's edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest

from nova import errors
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.states import PowerState, VmState
from nova.virt.driver import Guest
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.guest import GuestBuilder
from nova.virt.libvirt.initiators import QemuInitiator
from nova.virt.libvirt.layout import Layout
from nova.virt.libvirt.lifecycle import Guests
from nova.virt.libvirt.settings import LibvirtSettings


class Domain:
    def __init__(self, handle: Handle, document: str) -> None:
        self.handle = handle
        self.document = document

    def create(self) -> None:
        self.handle.calls.append("create")

    def UUIDString(self) -> str:
        return "11111111-2222-3333-4444-555555555555"

    def XMLDesc(self, flags: int) -> str:
        self.handle.calls.append("XMLDesc")
        return self.document


class Handle:
    """A connection that notes what is asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.domains: list[Domain] = []
        self.alive = True

    def defineXML(self, document: str) -> Domain:
        self.calls.append("defineXML")
        self.domains = [Domain(self, document)]
        return self.domains[0]

    def getAllDomainStats(self, stats: int) -> list[tuple[Domain, dict[str, int]]]:
        self.calls.append("getAllDomainStats")
        return [(domain, {"state.state": libvirt.VIR_DOMAIN_RUNNING}) for domain in self.domains]

    def isAlive(self) -> int:
        return int(self.alive)

    def close(self) -> None:
        self.calls.append("close")


class Connected(Connection):
    """Connections to handles that were given."""

    def __init__(self, *handles: Handle) -> None:
        super().__init__("test:///x")
        self.left = list(handles)

    def _open(self) -> Any:
        self._handle = self._handle or self.left.pop(0)
        return self._handle


def guests(connection: Connection, path: Path) -> Guests:
    layout = Layout(path)
    initiator = QemuInitiator(connection)
    builder = GuestBuilder(LibvirtSettings(host="h", instances_path=path), layout=layout, initiator=initiator)
    return Guests(
        connection=connection,
        builder=builder,
        initiator=initiator,
        layout=layout,
        prepare_bridges=lambda _nics: None,
    )


@pytest.fixture
def guest() -> Guest:
    flavor = Flavor(flavor_id="1", name="m1.tiny", memory_mb=64, vcpus=1, root_gb=0)
    return Guest(
        instance=Instance(
            id=10,
            uuid="11111111-2222-3333-4444-555555555555",
            user_id="u",
            project_id="p",
            display_name="n",
            hostname="n",
            flavor=flavor,
            vm_state=VmState.BUILDING,
        )
    )


def test_a_start_costs_two_calls(guest: Guest, tmp_path: Path) -> None:
    handle = Handle()
    guests(Connected(handle), tmp_path).start(guest)
    assert handle.calls == ["defineXML", "create"]


def test_power_states_cost_one_call_once_a_domain_is_known(guest: Guest, tmp_path: Path) -> None:
    handle = Handle()
    life = guests(Connected(handle), tmp_path)
    life.start(guest)
    assert life.power_states() == {guest.instance.uuid: PowerState.RUNNING}
    handle.calls.clear()
    assert life.power_states() == {guest.instance.uuid: PowerState.RUNNING}
    assert handle.calls == ["getAllDomainStats"]


def test_a_call_on_a_broken_connection_is_made_again_on_a_new_one() -> None:
    broken, fresh = Handle(), Handle()
    broken.alive = False

    def use(handle: Handle) -> str:
        if handle is broken:
            raise libvirt.libvirtError("gone")
        return "done"

    assert Connected(broken, fresh).call("do it", use) == "done"
    assert broken.calls == ["close"]


def test_a_refusal_on_a_sound_connection_is_passed_on() -> None:
    def refuse(handle: Handle) -> None:
        raise libvirt.libvirtError("the hypervisor's own words")

    with pytest.raises(errors.HypervisorError, match="could not do it") as caught:
        Connected(Handle()).call("do it", refuse)
    assert "own words" in caught.value.detail


def test_run_blocking_gets_every_call() -> None:
    seen: list[object] = []

    def run_blocking(function):  # type: ignore[no-untyped-def]
        seen.append(function)
        return function()

    connection = Connection("qemu:///system?socket=/nonexistent", run_blocking)
    with pytest.raises(errors.Unavailable, match="/nonexistent"):
        connection.call("look", lambda handle: handle)
    assert len(seen) == 1
