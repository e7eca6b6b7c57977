# SPDX-License-Identifier: Apache-2.0
"""Which floating addresses this host forwards, and what changes from one wanted state to the next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from nova.domain.network import Forward


class PublicWork(Protocol):
    """Addresses on public interfaces; see :class:`nova.network.linux.public.PublicAddresses`."""

    def present(self) -> set[str]: ...
    def carry(self, forwards: Sequence[Forward]) -> None: ...
    def drop(self, addresses: Collection[str], *, forwards: Sequence[Forward] = ()) -> None: ...
    def end_connections(self, forwards: Sequence[Forward]) -> None: ...


class Forwarding:
    """Goes from the forwards that hold to those that are wanted, around the change of the packet filter's rules."""

    def __init__(self, public: PublicWork, *, in_kernel: Callable[[], Sequence[Forward]]) -> None:
        """:param in_kernel: reads from the rules what an earlier daemon forwarded"""
        self._public = public
        self._in_kernel = in_kernel
        self._before: Sequence[Forward] | None = None
        self.wanted: tuple[Forward, ...] = ()

    def present(self) -> set[str]:
        """The addresses of this host that may be floating ones."""
        return self._public.present()

    def begin(self, wanted: Sequence[Forward], *, known: Collection[str]) -> None:
        """Before the rules change: drop the addresses that go elsewhere.

        :param known: those of the addresses of this host that are floating ones, whoever put them there
        """
        if self._before is None:
            self._before = self._in_kernel()
        self.wanted = tuple(wanted)
        floating = {one.address for one in self._before} | set(known)
        self._public.drop(floating, forwards=self.wanted)

    def finish(self) -> None:
        """After the rules changed: have the new addresses, and end the connections of pairs that are no more."""
        self._public.carry(self.wanted)
        kept = {(one.address, one.fixed_address) for one in self.wanted}
        self._public.end_connections(
            [one for one in self._before or () if (one.address, one.fixed_address) not in kept]
        )
        self._before = self.wanted
