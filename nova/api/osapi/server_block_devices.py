# SPDX-License-Identifier: Apache-2.0
"""The two syntaxes of block devices in a create body, read into one, and refused where this cloud cannot do them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nova.api.parameter_types import to_bool
from nova.domain.blank_disks import SWAP
from nova.domain.block_device import BlockDevice
from nova.errors import InvalidInput

FIELD = "block_device_mapping_v2"
OLD_FIELD = "block_device_mapping"
Item = Mapping[str, Any]


def read(server: Mapping[str, Any], *, image_id: str, max_local: int) -> tuple[BlockDevice, ...]:
    """The devices that *server* asks for besides the disk made from its image.

    InvalidInput for both syntaxes at once, for a wrong combination, and for what cannot be done.
    """
    old, new = server.get(OLD_FIELD) or (), server.get(FIELD) or ()
    if old and new:
        raise InvalidInput("Only one of the two syntaxes of block devices can be used in a request.", field=FIELD)
    items = [_modern(each) for each in old] if old else [each for each in new if not _left_out(each)]
    for item in items:
        _check_item(item, image_id=image_id)
    _check_boot_order(items, image_id=image_id)
    local = [item for item in items if _destination(item) == "local"]
    if 0 <= max_local < len(local):
        raise InvalidInput(f"A server can have at most {max_local} local disks.", field=FIELD)
    return tuple(_device(item) for item in items if not _is_image_itself(item))


def _left_out(item: Item) -> bool:
    return to_bool(item.get("no_device", False))


def _modern(item: Item) -> Item:
    """An item of the older syntax in the newer one."""
    source = "volume" if item.get("volume_id") else "snapshot" if item.get("snapshot_id") else "blank"
    return {
        "source_type": source,
        "destination_type": "local" if source == "blank" else "volume",
        "uuid": item.get("volume_id") or item.get("snapshot_id"),
        "volume_size": item.get("volume_size"),
        "device_name": item.get("device_name"),
        "delete_on_termination": item.get("delete_on_termination", False),
        "guest_format": SWAP if (item.get("virtual_name") or "").startswith(SWAP) else None,
        "boot_index": 0 if (item.get("device_name") or "").removeprefix("/dev/") == "vda" else None,
    }


def _destination(item: Item) -> str:
    return item.get("destination_type") or ("local" if item["source_type"] in ("image", "blank") else "volume")


def _index(item: Item) -> int | None:
    value = item.get("boot_index")
    number = None if value is None else int(value)
    return None if number is None or number < 0 else number


def _is_image_itself(item: Item) -> bool:
    """The clients' way to say that the server boots from its image."""
    return item["source_type"] == "image" and _destination(item) == "local"


def _check_item(item: Item, *, image_id: str) -> None:
    source, destination = item["source_type"], _destination(item)
    if source == "blank" and item.get("uuid"):
        raise InvalidInput("A blank block device has no uuid.", field=FIELD)
    if source != "blank" and not item.get("uuid"):
        raise InvalidInput(f"A block device from a {source} needs its uuid.", field=FIELD)
    if destination == "local" and source in ("volume", "snapshot"):
        raise InvalidInput(f"A {source} cannot become a local disk.", field=FIELD)
    if destination == "volume" and source in ("image", "blank") and not item.get("volume_size"):
        raise InvalidInput(f"A volume made from {source} needs a volume_size.", field=FIELD)
    if _is_image_itself(item) and (_index(item) != 0 or item["uuid"] != image_id):
        raise InvalidInput("A local disk from an image is the server's own image, with boot_index 0.", field=FIELD)
    if destination == "volume" and source != "volume":
        raise InvalidInput(
            f"A volume cannot be made from {source} with the server: make it first, then name it here.", field=FIELD
        )
    if image_id and _index(item) == 0 and not _is_image_itself(item):
        raise InvalidInput("The server boots from its image: leave imageRef out to boot from a volume.", field=FIELD)


def _check_boot_order(items: Sequence[Item], *, image_id: str) -> None:
    order = sorted(index for index in map(_index, items) if index is not None)
    if image_id and 0 not in order:
        order = [0, *order]
    if order != list(range(len(order))):
        raise InvalidInput("The boot_index values must be 0, 1, 2 and so on, each once.", field=FIELD)
    if 0 not in order:
        raise InvalidInput("The server needs an image (imageRef) or a volume to boot from.", field="imageRef")


def _device(item: Item) -> BlockDevice:
    size, local = item.get("volume_size"), _destination(item) == "local"
    return BlockDevice(
        source_type=item["source_type"],
        destination_type=_destination(item),
        boot_index=_index(item),
        device_name=item.get("device_name") or "",
        device_type=item.get("device_type") or "disk",
        disk_bus=item.get("disk_bus") or "",
        guest_format=item.get("guest_format") or "",
        volume_id=item.get("uuid") or "",
        volume_size_gb=int(size) if size else None,
        delete_on_termination=local or to_bool(item.get("delete_on_termination", False)),
        attached=local,
    )
