# SPDX-License-Identifier: Apache-2.0
"""The password that a guest made for its user and encrypted with the user's key: posted once, read until it is cleared.

It stands in the system metadata of the instance in pieces, so that older tools find it where it always was.
"""

from __future__ import annotations

from nova.db import instances
from nova.db.engine import Transaction
from nova.errors import Conflict, InvalidInput

PIECES = 4
PIECE_BYTES = 255
MAX_BYTES = PIECES * PIECE_BYTES
_KEYS = tuple(f"password_{index}" for index in range(PIECES))


def read(tx: Transaction, uuid: str) -> bytes:
    """What was posted; empty when nothing was.  NotFound for an instance that is gone."""
    kept = instances.get(tx, uuid).system_metadata
    return "".join(kept.get(key, "") for key in _KEYS).encode()


def store(tx: Transaction, uuid: str, blob: bytes) -> None:
    """Keep *blob*; Conflict when there is one already, InvalidInput for one that is too long or not plain text."""
    if len(blob) > MAX_BYTES:
        raise InvalidInput(f"A password has at most {MAX_BYTES} bytes.")
    try:
        text = blob.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidInput("A password is sent as base64 text.") from None
    if not text.strip() or "\0" in text:
        raise InvalidInput("A password is sent as base64 text.")
    pieces = {key: text[at : at + PIECE_BYTES] for key, at in zip(_KEYS, range(0, MAX_BYTES, PIECE_BYTES), strict=True)}
    if not instances.add_system_metadata(tx, uuid, pieces):
        raise Conflict("The password was set already.")


def clear(tx: Transaction, uuid: str) -> None:
    """Forget it, so that the guest may send another one."""
    instances.delete_system_metadata(tx, uuid, _KEYS)
