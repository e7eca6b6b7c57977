# SPDX-License-Identifier: Apache-2.0
"""Names that are derived: host names, EC2 ids, reservation ids."""

from __future__ import annotations

import re
import secrets
import string

_NOT_LABEL = re.compile(r"[^a-z0-9-]+")
_RESERVATION = string.digits + string.ascii_lowercase


def hostname_for(display_name: str, *, fallback: str) -> str:
    """An RFC 1123 label made from a display name; *fallback* (a label) where nothing is left of it."""
    label = re.sub(r"[ _.]", "-", display_name.lower())
    label = _NOT_LABEL.sub("", label).strip("-")[:63].strip("-")
    return label or fallback


def new_reservation_id() -> str:
    """``r-`` and eight characters."""
    return "r-" + "".join(secrets.choice(_RESERVATION) for _ in range(8))


def ec2_id(prefix: str, number: int) -> str:
    """``i-0000000a`` and the like."""
    return f"{prefix}-{number:08x}"


def ec2_number(ec2: str) -> int | None:
    """The number in an EC2 id, or None where *ec2* is no such id."""
    match = re.fullmatch(r"[a-z]{1,5}-([0-9a-f]{8})", ec2)
    return int(match.group(1), 16) if match else None
