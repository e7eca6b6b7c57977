# SPDX-License-Identifier: Apache-2.0
"""Passwords at rest: bcrypt over a SHA-384 of the whole password, so that no byte of a long one is ignored.

Hashing takes tens of milliseconds of CPU in C: it goes through ``run_blocking``, which keeps other requests going.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import bcrypt

from nova import errors
from nova.secret import Secret

MAX_PASSWORD_BYTES = 4096
_SCHEME = "sha384-bcrypt"
_SALT_AND_HASH = 22 + 31
"""Characters after the cost in the text of a bcrypt hash"""
_OLD_BCRYPT = ("$2a$", "$2b$", "$2y$")

RunBlocking = Callable[..., Any]


def call_directly(function: Callable[..., Any], *args: Any) -> Any:
    """The ``run_blocking`` of a program without green threads."""
    return function(*args)


def _digest(password: bytes) -> bytes:
    return base64.b64encode(hashlib.sha384(password).digest())


class PasswordHasher:
    """Makes and checks hashes.

    :param rounds: bcrypt cost, 4 to 31: the work is 2**rounds
    :param run_blocking: runs a function outside the event loop
    """

    def __init__(self, *, rounds: int = 12, run_blocking: RunBlocking = call_directly) -> None:
        if not 4 <= rounds <= 31:
            raise errors.InvalidConfiguration("The cost of a password hash must be from 4 to 31.")
        self._rounds = rounds
        self._run_blocking = run_blocking
        self._nobody = f"{_SCHEME}$2b${rounds:02d}${'.' * _SALT_AND_HASH}"
        """The hash of no password that anybody knows; checking one against it is as much work as any check"""

    def hash(self, password: Secret) -> str:
        """What to store for *password*; InvalidInput when it is empty or too long."""
        return str(self._run_blocking(self._make, checked(password)))

    def verify(self, password: Secret, stored: str | None) -> bool:
        """Whether *password* is the stored one; as slow without a stored hash as with one."""
        raw = password.reveal().encode("utf-8", "surrogatepass")
        if not raw or len(raw) > MAX_PASSWORD_BYTES:
            raw, stored = b"?", None
        matches = bool(self._run_blocking(_check, raw, stored or self._nobody))
        return matches and stored is not None

    def needs_new_hash(self, stored: str) -> bool:
        """Whether *stored* was made in an older way, or cheaper than now."""
        scheme, _, inner = stored.partition("$")
        return scheme != _SCHEME or int(inner.split("$")[1]) < self._rounds

    def _make(self, password: bytes) -> str:
        hashed = bcrypt.hashpw(_digest(password), bcrypt.gensalt(self._rounds)).decode("ascii")
        return f"{_SCHEME}{hashed}"


def checked(password: Secret) -> bytes:
    """The bytes of a new password; InvalidInput when it is empty, too long or no text."""
    try:
        raw = password.reveal().encode()
    except UnicodeEncodeError as exc:
        raise errors.InvalidInput("The password is not valid text.", field="password") from exc
    if not raw:
        raise errors.InvalidInput("The password is empty.", field="password")
    if len(raw) > MAX_PASSWORD_BYTES:
        raise errors.InvalidInput(f"The password is longer than {MAX_PASSWORD_BYTES} bytes.", field="password")
    return raw


def _check(password: bytes, stored: str) -> bool:
    try:
        if stored.startswith(_OLD_BCRYPT):
            return bcrypt.checkpw(password[:72], stored.encode())
        return bcrypt.checkpw(_digest(password), stored.removeprefix(_SCHEME).encode())
    except ValueError:
        return False
