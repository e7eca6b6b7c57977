# SPDX-License-Identifier: Apache-2.0
"""``<controller>``: for disks on a SCSI bus; the others' controllers are libvirt's business."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiController:
    """:ivar model: virtio-scsi, lsilogic or buslogic"""

    model: str = "virtio-scsi"

    def build(self) -> xml.Element:
        """The element."""
        return xml.element("controller", type="scsi", index=0, model=self.model)
