# SPDX-License-Identifier: Apache-2.0
"""What is written into the files of a guest's root disk before its first start."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.instance import InjectedFile
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """All that there is to write; the host's configuration says what of it is written, and where."""

    files: tuple[InjectedFile, ...] = ()
    """Must be written, or the guest does not start"""
    key: str = ""
    """A public key for root"""
    admin_password: Secret | None = None
    network: bytes = b""
    """The interfaces file; empty for none"""
