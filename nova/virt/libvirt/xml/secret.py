# SPDX-License-Identifier: Apache-2.0
"""``<secret>``: the place in libvirtd's memory for a CHAP password; the password itself is set by a call of its own."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class IscsiSecret:
    """A secret that is never written to disk and that no client can read back."""

    uuid: str
    usage: str

    def text(self) -> str:
        """The document for libvirt."""
        root = xml.element("secret", ephemeral="yes", private="yes")
        xml.child(root, "uuid", self.uuid)
        usage = xml.child(root, "usage", type="iscsi")
        xml.child(usage, "target", self.usage)
        return xml.serialize(root)
