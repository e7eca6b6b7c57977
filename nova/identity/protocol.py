# SPDX-License-Identifier: Apache-2.0
"""What the HTTP endpoints need of an identity store.  ``nova.identity.builtin`` is one over our own database.

Every failure to prove an identity is the same ``Unauthenticated``: unknown, wrong, locked and disabled are not told
apart.  Nothing that these methods return may be kept beyond the request: users, projects and grants are read at each
use, so that a change is seen by every process at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nova.domain.identity import Project, Token
from nova.identity.caller import Caller
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The project that is asked for, by id or name; with neither, no project."""

    project_id: str = ""
    project_name: str = ""
    unscoped: bool = False
    """True: no project even if the user has a default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordProof:
    """A user, by id or name, and the password."""

    password: Secret
    user_id: str = ""
    user_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The secret behind an access key, and who signs with it."""

    access: str
    secret: Secret
    caller: Caller


class Identity(Protocol):
    """Proofs in, callers and tokens out."""

    def token_by_password(self, proof: PasswordProof, *, scope: Scope, source: str = "") -> Token:
        """A new token; *source* is the address that asks, for the lock-out.

        :raises Unauthenticated: unknown, wrong, disabled, locked, or no role in that project
        """
        ...

    def token_by_token(self, token: Secret, *, scope: Scope) -> Token:
        """A token for another project, or none; it ends when *token* does, and falls with it.

        :raises Unauthenticated: *token* does not hold, or the user has no role in that project
        :raises Forbidden: the cloud does not allow a token with a project to be exchanged
        """
        ...

    def token_by_access_key(self, user_name: str, access_key: Secret, *, project: str = "", source: str = "") -> Token:
        """The login of API 1.0: a user's name and access key; *project* by id or name, else the user's first.

        :raises Unauthenticated: as for passwords; also when the user is in no project
        """
        ...

    def token_for(self, caller: Caller) -> Token:
        """A token for a caller whose request was signed, for calls to other services in its name."""
        ...

    def validate(self, token: Secret) -> Caller:
        """Who holds *token*: one SQL statement.

        :raises Unauthenticated: unknown, expired, revoked; user or project disabled or gone
        """
        ...

    def signing_key(self, access: str) -> SigningKey | None:
        """The key for ``access`` or ``access:project``; None for every reason not to accept it."""
        ...

    def verify_password(self, proof: PasswordProof, *, source: str = "") -> Caller:
        """Check a password without making a token; counts for the lock-out.

        :raises Unauthenticated: as ``token_by_password``
        """
        ...

    def hash_password(self, password: Secret) -> str:
        """What to store for a new password: slow, never inside a transaction; InvalidInput for one that is none."""
        ...

    def revoke(self, token: Secret) -> None:
        """End *token* and all that were made from it; NotFound when there is no such token."""
        ...

    def projects_of(self, user_id: str) -> tuple[Project, ...]:
        """The enabled projects in which the user has a role, by name."""
        ...
