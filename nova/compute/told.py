# SPDX-License-Identifier: Apache-2.0
"""What nova-conductor was last told that each guest does, so that it is told only once.  Lives in nova-compute."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nova.domain.states import PowerState


class Told:
    """By instance uuid; empty after a start."""

    def __init__(self) -> None:
        self._states: dict[str, PowerState] = {}

    def get(self, uuid: str) -> PowerState | None:
        """None when nothing was told yet."""
        return self._states.get(uuid)

    def note(self, uuid: str, state: PowerState | None) -> None:
        """That was told now; None is that it is not known any more."""
        if state is None or state is PowerState.NOSTATE:
            self._states.pop(uuid, None)
        else:
            self._states[uuid] = state

    def replace(self, states: Mapping[str, PowerState], *, but: Collection[str]) -> None:
        """All was told, except of the guests *but*."""
        self._states = {uuid: state for uuid, state in self._states.items() if uuid in but} | dict(states)
