# SPDX-License-Identifier: Apache-2.0
"""The identity store over our own database.  Runs in nova-api, in any number of processes, and in nova-conductor.

Nothing is remembered between requests but failed logins: every use of a token or key reads user, project and grants
anew, in one statement for a token.  A token is random text; the database has its hash.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from nova import errors
from nova.db.engine import Database, Transaction
from nova.db.identity import credentials, grants, projects, tokens, users
from nova.domain.identity import Project, Token, User
from nova.identity.caller import RESUMED_METHOD, Caller, RoleRules, effective_roles, is_admin
from nova.identity.lockout import Lockout, LockoutSettings
from nova.identity.passwords import PasswordHasher
from nova.identity.protocol import PasswordProof, Scope, SigningKey
from nova.identity.scoping import ensure_member, project_in, project_or_first
from nova.secret import Secret, same_secret

LOG = logging.getLogger(__name__)

EC2_METHOD = "ec2credential"
ONE_PROJECT_METHODS = frozenset({EC2_METHOD, RESUMED_METHOD})
"""Ways in whose tokens may not be exchanged for one for another project."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """The options of the built-in store."""

    token_ttl_s: float = 86400.0
    allow_rescope_scoped_token: bool = True
    """Whether a token for one project may be exchanged for one for another"""
    roles: RoleRules = field(default_factory=RoleRules)
    lockout: LockoutSettings = field(default_factory=LockoutSettings)


def token_id_of(token: Secret) -> str | None:
    """The hash that the store keeps for *token*; None for text that no token of ours can be."""
    text = token.reveal()
    return hashlib.sha256(text.encode()).hexdigest() if _TOKEN.fullmatch(text) else None


class BuiltinIdentity:
    """:class:`nova.identity.Identity` over the tables of ``nova.db.identity``."""

    def __init__(self, db: Database, *, hasher: PasswordHasher, settings: IdentitySettings | None = None) -> None:
        self._db = db
        self._settings = settings or IdentitySettings()
        self._lockout = Lockout(self._settings.lockout)
        self.hasher = hasher

    def token_by_password(self, proof: PasswordProof, *, scope: Scope, source: str = "") -> Token:
        """See :class:`nova.identity.Identity`."""
        user = self._proven_by_password(proof, source=source)
        return self._db.run(lambda tx: self._issue(tx, self._in_scope(tx, user, scope, methods=("password",))))

    def verify_password(self, proof: PasswordProof, *, source: str = "") -> Caller:
        """See :class:`nova.identity.Identity`."""
        user = self._proven_by_password(proof, source=source)
        unscoped = Scope(unscoped=True)
        return self._db.run(lambda tx: self._in_scope(tx, user, unscoped, methods=("password",)), write=False)

    def token_by_token(self, token: Secret, *, scope: Scope) -> Token:
        """See :class:`nova.identity.Identity`."""

        def work(tx: Transaction) -> Token:
            known = self._known(tx, token)
            if known.project is not None and not self._settings.allow_rescope_scoped_token:
                raise errors.Forbidden("A token for a project may not be exchanged for another one.")
            methods = tuple(dict.fromkeys((*known.methods, "token")))
            caller = self._in_scope(tx, known.user, scope, methods=methods)
            if ONE_PROJECT_METHODS.intersection(methods) and caller.project != known.project:
                raise errors.Forbidden("A token that was not made with a password holds for one project only.")
            return self._issue(tx, caller, parent=known)

        return self._db.run(work)

    def token_by_access_key(self, user_name: str, access_key: Secret, *, project: str = "", source: str = "") -> Token:
        """See :class:`nova.identity.Identity`."""
        account = f"key/{user_name}"

        def work(tx: Transaction) -> Token | None:
            user = users.by_name(tx, user_name)
            expected = user.access_key if user and user.enabled else ""
            matches = same_secret(access_key.reveal().encode("utf-8", "surrogatepass"), expected.encode())
            if user is None or not expected or not matches or self._lockout.is_locked(account, source):
                return None
            chosen = project_or_first(tx, user, project)
            if chosen is None:
                return None
            return self._issue(tx, self._checked(tx, user, chosen, methods=("access_key",)))

        token = self._db.run(work)
        if token is None:
            self._refuse(account, source, user_name)
        self._lockout.succeeded(account, source)
        return token

    def token_for(self, caller: Caller) -> Token:
        """See :class:`nova.identity.Identity`."""
        return self._db.run(lambda tx: self._issue(tx, caller))

    def token_for_owner(self, user_id: str, project_id: str) -> Secret | None:
        """A token to go on with what the user asked for in the project; None where he may not act there any more."""

        def work(tx: Transaction) -> Secret | None:
            try:
                user, project = users.get(tx, user_id), projects.get(tx, project_id)
                return self._issue(tx, self._checked(tx, user, project, methods=(RESUMED_METHOD,))).value
            except (errors.Unauthenticated, errors.NotFound):
                return None

        return self._db.run(work)

    def validate(self, token: Secret) -> Caller:
        """See :class:`nova.identity.Identity`."""
        return self._caller(self._db.run(lambda tx: self._known(tx, token), write=False))

    def signing_key(self, access: str) -> SigningKey | None:
        """See :class:`nova.identity.Identity`."""
        key, _, wanted = access.partition(":")
        if not key or len(access) > 512 or "\0" in access:
            return None
        return self._db.run(lambda tx: self._signing_key(tx, key, wanted), write=False)

    def hash_password(self, password: Secret) -> str:
        """See :class:`nova.identity.Identity`."""
        return self.hasher.hash(password)

    def revoke(self, token: Secret) -> None:
        """See :class:`nova.identity.Identity`."""
        token_id = token_id_of(token)
        if token_id is None or not self._db.run(lambda tx: tokens.revoke(tx, token_id)):
            raise errors.NotFound("The token could not be found.", resource="token")

    def projects_of(self, user_id: str) -> tuple[Project, ...]:
        """See :class:`nova.identity.Identity`."""
        return self._db.run(lambda tx: projects.of_user(tx, user_id), write=False)

    def purge_expired(self) -> int:
        """Remove tokens whose time is over, some at a time; how many there were.  For a periodic task."""
        return self._db.run(tokens.purge)

    def _proven_by_password(self, proof: PasswordProof, *, source: str) -> User:
        """The user whose password this is.  Unknown, locked, disabled and wrong take the same time."""
        found = self._db.run(lambda tx: users.login(tx, user_id=proof.user_id, name=proof.user_name), write=False)
        account = found.user.id if found else f"name/{proof.user_name}{proof.user_id}"
        matches = self.hasher.verify(proof.password, found.password_hash if found else None)
        locked = self._lockout.is_locked(account, source)
        if found is None or not matches or locked or not found.user.enabled:
            self._refuse(account, source, proof.user_name or proof.user_id, count=not locked)
        self._lockout.succeeded(account, source)
        if found.password_hash and self.hasher.needs_new_hash(found.password_hash):
            better = self.hasher.hash(proof.password)
            self._db.run(lambda tx: users.set_password(tx, found.user.id, better, end_tokens=False))
        return found.user

    def _refuse(self, account: str, source: str, name: str, *, count: bool = True) -> NoReturn:
        if count:
            self._lockout.failed(account, source)
        LOG.warning("A login was refused: user %.64r from %.64s.", name[:64], source or "an unknown address")
        raise errors.Unauthenticated()

    def _known(self, tx: Transaction, token: Secret) -> tokens.TokenRecord:
        token_id = token_id_of(token)
        record = tokens.find(tx, token_id) if token_id else None
        if record is None:
            raise errors.Unauthenticated()
        ensure_member(record.user, record.project, record.granted)
        return record

    def _caller(self, record: tokens.TokenRecord) -> Caller:
        roles = self._roles(record.user, record.project, record.granted)
        return Caller(
            user=record.user,
            project=record.project,
            roles=roles,
            is_admin=is_admin(record.user, roles, rules=self._settings.roles),
            methods=record.methods,
            issued_at=record.issued_at,
            expires_at=record.expires_at,
            audit_id=record.audit_id,
            token_id=record.id,
        )

    def _in_scope(self, tx: Transaction, user: User, scope: Scope, *, methods: tuple[str, ...]) -> Caller:
        return self._checked(tx, user, project_in(tx, user, scope), methods=methods)

    def _checked(self, tx: Transaction, user: User, project: Project | None, *, methods: tuple[str, ...]) -> Caller:
        """The caller, where *user* may act in *project* now; Unauthenticated where not."""
        granted = grants.of_user(tx, user.id)
        if not user.enabled or (project is not None and not project.enabled):
            raise errors.Unauthenticated()
        ensure_member(user, project, granted)
        roles = self._roles(user, project, granted)
        admin = is_admin(user, roles, rules=self._settings.roles)
        return Caller(user=user, project=project, roles=roles, is_admin=admin, methods=methods)

    def _roles(self, user: User, project: Project | None, granted: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        return effective_roles(granted, user=user, project=project, rules=self._settings.roles)

    def _issue(self, tx: Transaction, caller: Caller, *, parent: tokens.TokenRecord | None = None) -> Token:
        value = Secret(secrets.token_urlsafe(32))
        expires_at = parent.expires_at if parent else tx.now + datetime.timedelta(seconds=self._settings.token_ttl_s)
        new = tokens.NewToken(
            id=token_id_of(value) or "",
            user=caller.user,
            project=caller.project,
            methods=caller.methods,
            audit_id=secrets.token_urlsafe(16),
            issued_at=tx.now,
            expires_at=expires_at,
            parent_id=parent.id if parent else "",
        )
        if not tokens.create(tx, new):
            raise errors.Unauthenticated()
        return Token(
            value=value,
            user=caller.user,
            project=caller.project,
            roles=caller.roles,
            issued_at=new.issued_at,
            expires_at=new.expires_at,
            methods=new.methods,
            audit_id=new.audit_id,
        )

    def _signing_key(self, tx: Transaction, key: str, wanted: str) -> SigningKey | None:
        try:
            credential = credentials.by_access(tx, key)
            if credential is not None:
                user, project = users.get(tx, credential.user_id), projects.get(tx, credential.project_id)
                secret: Secret | None = credential.secret
                if wanted and wanted not in (project.id, project.name):
                    return None
            else:
                owner = users.by_access_key(tx, key)
                chosen = owner and project_or_first(tx, owner, wanted)
                if owner is None or not chosen:
                    return None
                user, project, secret = owner, chosen, owner.secret_key
            caller = self._checked(tx, user, project, methods=(EC2_METHOD,))
        except (errors.Unauthenticated, errors.NotFound):
            return None
        return SigningKey(access=key, secret=secret, caller=caller) if secret else None
