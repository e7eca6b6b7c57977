# SPDX-License-Identifier: Apache-2.0
"""``<metadata>``: by which the driver knows its own domains, and an administrator whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml

NAMESPACE = "urn:nova:instance:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is noted of the instance."""

    display_name: str
    project_id: str
    user_id: str
    flavor: str

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("metadata")
        instance = xml.child(root, f"{{{NAMESPACE}}}instance")
        values = (
            ("name", self.display_name),
            ("project", self.project_id),
            ("user", self.user_id),
            ("flavor", self.flavor),
        )
        for tag, value in values:
            xml.child(instance, f"{{{NAMESPACE}}}{tag}", printable(value))
        return root


def printable(text: str) -> str:
    """*text* without the characters that XML 1.0 cannot hold."""
    return "".join(
        each if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff") else "\ufffd" for each in text
    )


def is_ours(domain_xml: str) -> bool:
    """Whether a domain was made by this driver."""
    root = xml.parse(domain_xml, what="domain's XML")
    return root.find(f"metadata/{{{NAMESPACE}}}instance") is not None
