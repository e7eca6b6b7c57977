# SPDX-License-Identifier: Apache-2.0
"""What keeps a running guest from going on on another host: a look at both hosts as they have reported themselves."""

from __future__ import annotations

import json
from typing import Any

from nova.domain.flavor import Flavor
from nova.domain.host import ComputeNode


def misfits(source: ComputeNode, destination: ComputeNode, flavor: Flavor, *, copies_disks: bool) -> list[str]:
    """One sentence for each thing that does not fit; empty when nothing stands against it.

    :param copies_disks: whether the destination must have room for the disks as well
    """
    found = [*_processor(source, destination), *_hypervisor(source, destination)]
    free_mb = destination.memory_mb - destination.memory_mb_used
    if flavor.memory_mb > destination.memory_mb:
        found.append(f"memory: {flavor.memory_mb} MB are needed, {destination.host} has {destination.memory_mb} MB")
    elif flavor.memory_mb > free_mb and destination.memory_mb_used > destination.memory_mb:
        found.append(f"memory: {flavor.memory_mb} MB are needed, {destination.host} has {max(0, free_mb)} MB free")
    if copies_disks and flavor.disk_gb > destination.disk_available_gb:
        found.append(
            f"disk: {flavor.disk_gb} GB are needed, {destination.host} has {destination.disk_available_gb} GB free"
        )
    return found


def _hypervisor(source: ComputeNode, destination: ComputeNode) -> list[str]:
    if source.hypervisor_type != destination.hypervisor_type:
        return [f"hypervisor: {destination.host} has {destination.hypervisor_type}, not {source.hypervisor_type}"]
    if destination.hypervisor_version < source.hypervisor_version:
        return [f"hypervisor: {destination.host} has an older version of {source.hypervisor_type}"]
    return []


def _processor(source: ComputeNode, destination: ComputeNode) -> list[str]:
    here, there = _cpu(source), _cpu(destination)
    if here.get("arch") and there.get("arch") and here["arch"] != there["arch"]:
        return [f"CPU: {destination.host} is {there['arch']}, not {here['arch']}"]
    missing = sorted(set(here.get("features") or ()) - set(there.get("features") or ()))
    if missing:
        return [f"CPU: {destination.host} lacks {', '.join(missing[:5])}"]
    return []


def _cpu(node: ComputeNode) -> dict[str, Any]:
    try:
        found = json.loads(node.cpu_info or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
