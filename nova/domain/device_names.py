# SPDX-License-Identifier: Apache-2.0
"""Names of a server's disks: ``/dev/vdb``.  The letter counts; the guest's bus decides about the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nova.domain.blank_disks import usual_disks
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

_NAME = re.compile(r"(?:/dev/)?(?P<bus>vd|xvd|sd|hd)(?P<letter>[a-z])", re.ASCII)
_LETTERS = "bcdefghijklmnopqrstuvwxyz"


def letter_of(name: str) -> str:
    """The letter of a disk's name; empty for a text that is none."""
    found = _NAME.fullmatch(name)
    return found.group("letter") if found else ""


def taken_letters(
    devices: Sequence[BlockDevice], *, root: str, flavor: Flavor, wanted: BlockDevice | None = None
) -> frozenset[str]:
    """The letters that the server's disks have: root, what its flavor brings along, and *devices* that have names.

    :param wanted: one of them that is about to be named: its own wish stands in nobody's way
    """
    names = [device.device_name for device in devices if device is not wanted]
    names += [disk.device_name for disk in usual_disks(flavor, devices)]
    return frozenset({letter_of(root) or "a", *map(letter_of, names)}) - {""}


def choose(wanted: str, *, taken: Collection[str]) -> str:
    """The full name of a new disk: *wanted*, or the first that is free.  InvalidInput for a wrong or a used one."""
    if wanted:
        found = _NAME.fullmatch(wanted)
        if found is None:
            raise InvalidInput(f"The supplied device path ({wanted[:64]}) is invalid.", field="device")
        if found.group("letter") in taken:
            raise InvalidInput(f"The supplied device path ({wanted[:64]}) is in use.", field="device")
        return f"/dev/{found.group('bus')}{found.group('letter')}"
    for letter in _LETTERS:
        if letter not in taken:
            return f"/dev/vd{letter}"
    raise InvalidInput("The server has no free device name left.", field="device")
