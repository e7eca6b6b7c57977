# SPDX-License-Identifier: Apache-2.0
"""All that is known of one server, in the form from which its metadata is made."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.network import FixedAddress, Nic


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One server, as it is told about itself."""

    instance: Instance
    zone: str
    domain: str = ""
    """What follows its host name; may be empty"""
    nics: tuple[Nic, ...] = ()
    groups: tuple[str, ...] = ()
    devices: tuple[BlockDevice, ...] = ()
    image_ids: dict[str, str] = field(default_factory=dict)
    """``ami``, ``aki`` and ``ari`` with the EC2 id of each that there is"""
    random_seed: str = ""
    """Base64"""

    @property
    def hostname(self) -> str:
        """With its domain."""
        return f"{self.instance.hostname}.{self.domain}" if self.domain else self.instance.hostname

    @property
    def user_data(self) -> bytes | None:
        """As the guest shall see it; None when nobody gave any."""
        if not self.instance.user_data:
            return None
        try:
            return base64.b64decode(self.instance.user_data)
        except (binascii.Error, ValueError):
            return None

    @property
    def local_ipv4(self) -> str:
        """The first fixed address."""
        return next((fixed.address for fixed in self._fixed()), "")

    @property
    def public_ipv4(self) -> str:
        """The first floating address, or nothing."""
        return next((address for fixed in self._fixed() for address in fixed.floating), "")

    def _fixed(self) -> list[FixedAddress]:
        return [fixed for nic in self.nics for fixed in nic.addresses if fixed.version == 4]
