# SPDX-License-Identifier: Apache-2.0
"""Repository of faults: why an instance is in ERROR, for its owner and, in detail, for administrators."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select

from nova.db.models.base import table_of
from nova.db.models.instance import InstanceFaultRow
from nova.db.transaction import Transaction
from nova.domain.instance import Fault

FAULTS = table_of(InstanceFaultRow)
C = FAULTS.c
_LONGEST_MESSAGE = 255


def add(tx: Transaction, instance_uuid: str, fault: Fault) -> None:
    """Record *fault*; its message is cut to what the API shows."""
    values = {
        "instance_uuid": instance_uuid,
        "code": fault.code,
        "message": fault.message[:_LONGEST_MESSAGE],
        "details": fault.details or None,
        "host": fault.host or None,
        "created_at": fault.created_at or tx.now,
        "updated_at": tx.now,
    }
    tx.execute(insert(FAULTS).values(values))


def latest_for(tx: Transaction, instance_uuids: Sequence[str]) -> dict[str, Fault]:
    """The newest fault of each of the instances that has one; one statement for any number."""
    if not instance_uuids:
        return {}
    newest = select(func.max(C.id)).where(C.instance_uuid.in_(instance_uuids)).group_by(C.instance_uuid)
    chosen = select(C.instance_uuid, C.code, C.message, C.details, C.host, C.created_at).where(C.id.in_(newest))
    return {
        uuid: Fault(code=code, message=message, details=details or "", host=host or "", created_at=created_at)
        for uuid, code, message, details, host, created_at in tx.execute(chosen)
    }
