# SPDX-License-Identifier: Apache-2.0
"""The tree that EC2 guests know: ``/latest/meta-data/local-ipv4`` and its neighbours, as each version had it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nova.domain.blank_disks import SWAP, blank_disks
from nova.domain.guest_metadata.facts import Facts
from nova.domain.names import ec2_id

VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10"),
    *("2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04"),
)
LATEST = "latest"

Node = str | bytes | Sequence[str] | Mapping[str, "Node"]


class KeyDirectory(dict[str, Node]):
    """A directory whose parent's listing shows it without a slash: ``0=name of the key``."""

    def __init__(self, name: str, nodes: Mapping[str, Node]) -> None:
        super().__init__(nodes)
        self.name = name


def versions() -> str:
    """What stands at the root."""
    return "\n".join((*VERSIONS, LATEST))


def find(facts: Facts, version: str, path: Sequence[str]) -> bytes | None:
    """The content at *path* below *version*; None where there is nothing."""
    if version != LATEST and version not in VERSIONS:
        return None
    node: Node = _tree(facts, VERSIONS[-1] if version == LATEST else version)
    for name in path:
        if not isinstance(node, Mapping) or name not in node:
            return None
        node = node[name]
    return shown(node)


def as_json(facts: Facts, version: str) -> bytes:
    """The whole of ``meta-data`` as one JSON document, as a drive has it."""
    tree = _tree(facts, VERSIONS[-1] if version == LATEST else version)
    return msgspec.json.encode(_plain(tree["meta-data"]))


def _plain(node: Node) -> Any:
    if isinstance(node, bytes):
        return node.decode(errors="replace")
    if not isinstance(node, Mapping):
        return node if isinstance(node, str) else list(node)
    found = {name: _plain(child) for name, child in node.items()}
    for name, child in node.items():
        if isinstance(child, KeyDirectory):
            found[name]["_name"] = f"{name}={child.name}"
    return found


def shown(node: Node) -> bytes:
    """A directory as its names, a list as its lines, text as it is."""
    if isinstance(node, bytes):
        return node
    if isinstance(node, str):
        return node.encode()
    if isinstance(node, Mapping):
        return "\n".join(sorted(_listed(name, child) for name, child in node.items())).encode()
    return "\n".join(node).encode()


def _listed(name: str, node: Node) -> str:
    if isinstance(node, KeyDirectory):
        return f"{name}={node.name}"
    return f"{name}/" if isinstance(node, Mapping) else name


def _tree(facts: Facts, version: str) -> dict[str, Node]:
    nodes: dict[str, Node] = {
        name: node for since, some in _by_version(facts) if since <= version for name, node in some.items()
    }
    tree: dict[str, Node] = {"meta-data": nodes}
    if facts.user_data is not None:
        tree["user-data"] = facts.user_data
    return tree


def _by_version(facts: Facts) -> list[tuple[str, dict[str, Node]]]:
    """Each group of entries with the version that brought it."""
    instance = facts.instance
    kernel = {
        name: facts.image_ids[key]
        for name, key in (("kernel-id", "aki"), ("ramdisk-id", "ari"))
        if key in facts.image_ids
    }
    return [
        ("1.0", _oldest(facts)),
        (
            "2007-01-19",
            {
                "local-hostname": facts.hostname,
                "public-hostname": facts.hostname,
                "public-ipv4": facts.public_ipv4,
            },
        ),
        ("2007-08-29", {"instance-type": instance.flavor.name}),
        ("2007-12-15", {"block-device-mapping": _devices(facts), **kernel}),
        ("2008-02-01", {"placement": {"availability-zone": facts.zone}}),
        ("2008-09-01", {"instance-action": "none"}),
    ]


def _oldest(facts: Facts) -> dict[str, Node]:
    instance = facts.instance
    nodes: dict[str, Node] = {
        "ami-id": facts.image_ids.get("ami", ec2_id("ami", 0)),
        "ami-launch-index": str(instance.launch_index),
        "ami-manifest-path": "FIXME",
        "instance-id": ec2_id("i", instance.id),
        "hostname": facts.hostname,
        "local-ipv4": facts.local_ipv4,
        "reservation-id": instance.reservation_id,
        "security-groups": facts.groups,
    }
    if instance.key_name:
        nodes["public-keys"] = {"0": KeyDirectory(instance.key_name, {"openssh-key": f"{instance.key_data.strip()}\n"})}
    return nodes


def _devices(facts: Facts) -> dict[str, Node]:
    """Disks by what they are for: the root in both spellings, then ephemeral disks, swap and volumes."""
    root = facts.instance.root_device_name or "/dev/sda1"
    found: dict[str, Node] = {"ami": root.removeprefix("/dev/"), "root": root}
    blank = blank_disks(facts.instance.flavor, facts.devices)
    swap = [disk.device_name for disk in blank if disk.file_system == SWAP]
    ephemeral = [disk.device_name for disk in blank if disk.file_system != SWAP]
    volumes = [device.device_name for device in facts.devices if device.volume_id and not device.no_device]
    found |= {f"ephemeral{index}": name.removeprefix("/dev/") for index, name in enumerate(ephemeral)}
    if swap:
        found["swap"] = swap[0].removeprefix("/dev/")
    return found | {f"ebs{index}": name.removeprefix("/dev/") for index, name in enumerate(volumes)}
