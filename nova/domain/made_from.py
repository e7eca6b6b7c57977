# SPDX-License-Identifier: Apache-2.0
"""What an instance is made from: its image with the parts and properties that count for it.  A rebuild changes it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from nova.domain.image import Image
from nova.domain.instance import Instance

PREFIX = "image_"
"""How the names of the image's properties begin in an instance's system metadata"""
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFrom:
    """Ids of images, and the properties of the first, by their names in the system metadata."""

    image_ref: str = ""
    kernel_id: str = ""
    ramdisk_id: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: Instance) -> MadeFrom:
        """What *instance* is made from now."""
        return cls(
            image_ref=instance.image_ref,
            kernel_id=instance.kernel_id,
            ramdisk_id=instance.ramdisk_id,
            properties={key: value for key, value in instance.system_metadata.items() if key.startswith(PREFIX)},
        )

    @classmethod
    def images(cls, image: Image, *, kernel: Image | None, ramdisk: Image | None) -> MadeFrom:
        """What an instance is made from that is made from these."""
        return cls(
            image_ref=image.id,
            kernel_id=kernel.id if kernel else "",
            ramdisk_id=ramdisk.id if ramdisk else "",
            properties=image_properties(image),
        )

    def applied_to(self, instance: Instance) -> Instance:
        """*instance*, made from this."""
        others = {key: value for key, value in instance.system_metadata.items() if not key.startswith(PREFIX)}
        return dataclasses.replace(
            instance,
            image_ref=self.image_ref,
            kernel_id=self.kernel_id,
            ramdisk_id=self.ramdisk_id,
            system_metadata={**others, **self.properties},
        )


def image_properties(image: Image) -> dict[str, str]:
    """The properties of *image* as an instance's system metadata keeps them."""
    return {f"{PREFIX}{key}"[:LONGEST_NAME]: value for key, value in image.properties.items()}
