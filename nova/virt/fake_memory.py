# SPDX-License-Identifier: Apache-2.0
"""What the fake driver's guests do, in a directory: they outlive the daemon, as the guests of a real hypervisor do.

Runs in nova-compute.  One small file for each guest; one that was cut off by a crash is as good as no guest.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova.domain.instance import Instance
from nova.domain.states import PowerState
from nova.system.files import ensure_directory

LOG = logging.getLogger(__name__)
SUFFIX = ".guest"


class Remembered(msgspec.Struct, frozen=True):
    """What is kept of one guest."""

    instance: Instance
    state: PowerState
    saved: bool = False
    rescued: bool = False


_decoder = msgspec.json.Decoder(Remembered)


class GuestMemory:
    """:param directory: made if it is missing"""

    def __init__(self, directory: Path) -> None:
        self._directory = ensure_directory(directory)
        self._written: dict[str, Remembered] = {}

    def note(self, uuid: str, guest: Remembered | None) -> None:
        """The guest *uuid* is so now; None: it is gone."""
        if self._written.get(uuid) == guest:
            return
        path = self._directory / f"{uuid}{SUFFIX}"
        if guest is None:
            path.unlink(missing_ok=True)
            self._written.pop(uuid, None)
        else:
            path.write_bytes(msgspec.json.encode(guest))
            self._written[uuid] = guest

    def recall(self) -> Iterator[Remembered]:
        """All guests that a former run of the daemon left."""
        for path in sorted(self._directory.glob(f"*{SUFFIX}")):
            with contextlib.suppress(FileNotFoundError):
                try:
                    found = _decoder.decode(path.read_bytes())
                except msgspec.MsgspecError:
                    LOG.warning("The file %s holds no guest.", path)
                    continue
                self._written[found.instance.uuid] = found
                yield found
