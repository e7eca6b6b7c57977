# SPDX-License-Identifier: Apache-2.0
"""Values of the options of the EC2 dialect."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova.identity.lockout import LockoutSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Settings:
    """Each field is the option of the same name with ``ec2_`` in front, where nothing else is said."""

    url: str = "http://127.0.0.1:8773/services/Cloud"
    """Where clients find us: the endpoint of our own region"""
    regions: tuple[str, ...] = ()
    """region_list: ``name=host`` or ``name=url``"""
    timestamp_expiry_s: int = 300
    signature_versions: tuple[str, ...] = ("2", "4")
    private_dns_show_ip: bool = False
    own_images: bool = True
    """Whether images are in a store of this process, which asks nobody for a token"""
    lockout: LockoutSettings = field(default_factory=LockoutSettings)
    """lockout_attempts, lockout_minutes, lockout_window"""
