# SPDX-License-Identifier: Apache-2.0
"""The floating addresses that this host carries on its public interfaces, and the connections that go with them.

Rules come before the address, and the address goes before the rules, so that nothing that is sent to a floating address
ever reaches the host itself.  A connection that was made through an address ends when the address leads elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from nova.domain.network import Forward
from nova.errors import NovaError
from nova.system import devices
from nova.system.commands import CommandRunner
from nova.system.devices import Device
from nova.workflow.background import in_thread

LOG = logging.getLogger(__name__)

_SINGLE = "/32"


class PublicAddresses:
    """The floating addresses of this host."""

    def __init__(self, runner: CommandRunner, *, interface: str, announcements: int = 0) -> None:
        """
        :param interface: carries the addresses that name none
        :param announcements: how often the neighbours are told when an address comes to this host
        """
        self._runner = runner
        self._interface = interface
        self._announcements = announcements

    def present(self) -> set[str]:
        """The single addresses that the host has on any interface, ours or not."""
        return {address for device in devices.devices(self._runner).values() for address in _singles(device)}

    def carry(self, forwards: Sequence[Forward]) -> None:
        """Have these addresses; one whose interface is missing is reported and does not stop the others."""
        present = devices.devices(self._runner)
        missing: dict[str, list[str]] = {}
        for one in forwards:
            name = one.interface or self._interface
            if name not in present:
                LOG.error("There is no interface %s for the floating address %s.", name, one.address)
            elif one.address not in _singles(present[name]):
                missing.setdefault(name, []).append(one.address)
        for name, addresses in missing.items():
            devices.change(self._runner, [f"addr replace {address}{_SINGLE} dev {name}" for address in addresses])
            if self._announcements:
                self._announce(name, addresses)

    def drop(self, addresses: Collection[str], *, forwards: Sequence[Forward] = ()) -> None:
        """Have these addresses no longer, unless they are where *forwards* wants them."""
        wanted = {(one.interface or self._interface, one.address) for one in forwards}
        present: Mapping[str, Device] = devices.devices(self._runner) if addresses else {}
        devices.change(
            self._runner,
            [
                f"addr del {address}{_SINGLE} dev {device.name}"
                for device in present.values()
                for address in sorted(_singles(device) & set(addresses))
                if (device.name, address) not in wanted
            ],
        )

    def end_connections(self, forwards: Sequence[Forward]) -> None:
        """Forget the connections, in both directions, that went through these pairs of addresses."""
        for one in forwards:
            for pair in (("-d", one.address, "-r", one.fixed_address), ("-s", one.fixed_address, "-q", one.address)):
                self._runner.run(["conntrack", "-D", "-f", "ipv4", *pair], as_root=True, ok_codes=(0, 1))

    def _announce(self, interface: str, addresses: Sequence[str]) -> None:
        """Takes a second for each announcement, so nobody waits for it."""
        for address in addresses:
            words = ["arping", "-U", "-c", str(self._announcements), "-I", interface, address]
            in_thread(lambda words=words: self._tell_neighbours(words))  # type: ignore[misc]

    def _tell_neighbours(self, words: Sequence[str]) -> None:
        try:
            self._runner.run(words, as_root=True, ok_codes=(0, 1))
        except NovaError as error:
            LOG.warning("The neighbours on %s were not told of %s: %s", words[-2], words[-1], error)


def _singles(device: Device) -> set[str]:
    return {address.cidr.removesuffix(_SINGLE) for address in device.addresses if address.cidr.endswith(_SINGLE)}
