# SPDX-License-Identifier: Apache-2.0
"""The image can run there: architecture, hypervisor type and mode that its properties ask for."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request

SPELLINGS = {
    "architecture": ("architecture", "hw_architecture"),
    "hypervisor type": ("hypervisor_type", "img_hv_type"),
    "vm mode": ("vm_mode", "hw_vm_mode"),
}
"""What each part of a host's ``supported`` is called among image properties, in old and new images."""
SAME_MACHINE = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "i386": "i686", "x86": "i686"}
SAME_HYPERVISOR = {"kvm": "kvm", "qemu": "kvm"}
"""A guest for one of these runs under the other as well."""


def image_properties_filter(request: Request) -> Check | None:
    """Refuses hosts that can run no guest of the wanted kind."""
    wanted = {part: _wanted(request, names) for part, names in SPELLINGS.items()}
    if not any(wanted.values()):
        return None
    triple = tuple(_normal(value) for value in wanted.values())

    @functools.cache
    def offers(supported: str) -> bool:
        return any(_fits(triple, each) for each in json.loads(supported))

    def passes(host: HostRow) -> bool:
        return offers(host.supported)

    shown = ", ".join(f"{part} {value}" for part, value in wanted.items() if value)
    return Check("image_properties", passes, because(f"needs {shown}"))


def _wanted(request: Request, names: tuple[str, ...]) -> str:
    properties = request.spec.image_properties
    return next((properties[name] for name in names if properties.get(name)), "")


def _normal(word: str) -> str:
    lower = word.lower()
    return SAME_MACHINE.get(lower) or SAME_HYPERVISOR.get(lower) or lower


def _fits(wanted: tuple[str, ...], offered: Sequence[str]) -> bool:
    return all(not part or part == _normal(has) for part, has in zip(wanted, offered, strict=True))
