# SPDX-License-Identifier: Apache-2.0
"""Text that must not be printed: passwords, tokens, keys."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret value whose ``str`` and ``repr`` are ``***``; ``reveal()`` is the only way to the text."""

    value: str

    def reveal(self) -> str:
        """The text itself, for the one place that must send or compare it."""
        return self.value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


def same_secret(one: str | bytes, other: str | bytes) -> bool:
    """Compare in constant time.  Every comparison of a digest, token or password in the project goes through here."""
    left = one.encode() if isinstance(one, str) else one
    right = other.encode() if isinstance(other, str) else other
    return hmac.compare_digest(left, right)
