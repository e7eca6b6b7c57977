# SPDX-License-Identifier: Apache-2.0
"""What administrators do to users, projects and roles, for nova-manage and the identity API alike.

Plain functions over a write transaction; the caller opens it, and hashes passwords before (that takes long).
"""

from __future__ import annotations

import dataclasses
import re
import secrets
import uuid

from nova import errors
from nova.db.engine import Transaction
from nova.db.identity import credentials, grants, projects, users
from nova.domain.identity import CLASSIC_ROLES, DEFAULT_ROLES, Ec2Credential, Project, Role, User
from nova.identity.caller import MANAGER_ROLE, RoleRules
from nova.secret import Secret

MEMBER_ROLE = "member"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def checked_name(name: str, what: str = "name") -> str:
    """*name*, if it may be the name of something: 1 to 255 characters, no control characters, no outer blanks."""
    if not 1 <= len(name) <= 255 or name != name.strip() or _CONTROL.search(name):
        raise errors.InvalidInput(
            f"The {what} must have 1 to 255 characters, no control characters and no blanks around it.", field=what
        )
    return name


def new_key() -> str:
    """A random access or secret key."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def find_user(tx: Transaction, text: str) -> User:
    """The user with that name, or else that id; NotFound."""
    return users.by_name(tx, text) or users.get(tx, text)


def find_project(tx: Transaction, text: str) -> Project:
    """The project with that name, or else that id; NotFound."""
    found = projects.by_name(tx, text)
    return found or projects.get(tx, text)


def find_role(tx: Transaction, name: str) -> Role:
    """The role with that name; NotFound."""
    found = grants.roles(tx, name=name)
    if not found:
        raise errors.NotFound.of("role", name)
    return found[0]


def create_user(
    tx: Transaction,
    name: str,
    *,
    access_key: str = "",
    secret_key: Secret | None = None,
    is_admin: bool = False,
    password_hash: str | None = None,
    email: str = "",
    description: str = "",
    default_project_id: str = "",
    enabled: bool = True,
) -> User:
    """A new user with signing keys, random ones where none are given; AlreadyExists, InvalidInput."""
    user = User(
        id=uuid.uuid4().hex,
        name=checked_name(name, "user name"),
        enabled=enabled,
        email=email,
        description=description,
        is_admin=is_admin,
        access_key=_checked_access_key(access_key) if access_key else new_key(),
        secret_key=secret_key or Secret(new_key()),
        default_project_id=default_project_id,
    )
    users.create(tx, user, password_hash=password_hash)
    return user


def modify_user(
    tx: Transaction,
    user: User,
    *,
    name: str = "",
    access_key: str = "",
    secret_key: Secret | None = None,
    is_admin: bool | None = None,
    enabled: bool | None = None,
    email: str | None = None,
    description: str | None = None,
    default_project_id: str | None = None,
) -> User:
    """Change what is given.  Disabling a user, or taking the admin flag or a key away, ends all its tokens."""
    changed = dataclasses.replace(
        user,
        name=checked_name(name, "user name") if name else user.name,
        access_key=_checked_access_key(access_key) if access_key else user.access_key,
        secret_key=secret_key or user.secret_key,
        is_admin=user.is_admin if is_admin is None else is_admin,
        enabled=user.enabled if enabled is None else enabled,
        email=user.email if email is None else email,
        description=user.description if description is None else description,
        default_project_id=user.default_project_id if default_project_id is None else default_project_id,
    )
    ends = (user.enabled and not changed.enabled) or (user.is_admin and not changed.is_admin)
    users.save(tx, changed, end_tokens=ends or changed.access_key != user.access_key)
    return changed


def create_project(
    tx: Transaction, name: str, *, manager: User | None = None, description: str | None = None, enabled: bool = True
) -> Project:
    """A new project, with its manager as the first member; the description is the name where none is given."""
    project = Project(
        id=uuid.uuid4().hex,
        name=checked_name(name, "project name"),
        description=name if description is None else description,
        enabled=enabled,
        manager_id=manager.id if manager else "",
    )
    projects.create(tx, project)
    if manager:
        add_member(tx, project, manager)
    return project


def modify_project(
    tx: Transaction,
    project: Project,
    *,
    name: str = "",
    manager: User | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> Project:
    """Change what is given; a new manager becomes a member.  Disabling ends all tokens for the project."""
    changed = dataclasses.replace(
        project,
        name=checked_name(name, "project name") if name else project.name,
        manager_id=manager.id if manager else project.manager_id,
        description=project.description if description is None else description,
        enabled=project.enabled if enabled is None else enabled,
    )
    projects.save(tx, changed, end_tokens=project.enabled and not changed.enabled)
    if manager:
        add_member(tx, changed, manager)
    return changed


def add_member(tx: Transaction, project: Project, user: User) -> None:
    """Make a user a member of a project."""
    grants.add(tx, user_id=user.id, project_id=project.id, role_id=find_role(tx, MEMBER_ROLE).id)


def remove_member(tx: Transaction, project: Project, user: User) -> None:
    """Take a user out of a project, with the keys and tokens for it; NotFound for no member."""
    if project.manager_id == user.id:
        raise errors.Conflict("The manager of a project cannot be removed from it: name another manager first.")
    grants.remove_member(tx, user_id=user.id, project_id=project.id)


def is_member(tx: Transaction, project: Project, user: User) -> bool:
    """Whether a user has a place in a project."""
    return project.manager_id == user.id or any(place == project.id for _, place in grants.of_user(tx, user.id))


def add_role(tx: Transaction, user: User, role: str, *, project: Project | None = None, rules: RoleRules) -> None:
    """Grant a role, in a project or everywhere.

    :raises errors.InvalidInput: a role that cannot be granted there
    :raises errors.NotFound: no such role, or the user is no member of the project
    """
    if role == MANAGER_ROLE:
        raise errors.InvalidInput("The role projectmanager comes with managing a project and cannot be granted.")
    if project and role in rules.global_roles:
        raise errors.InvalidInput(f"The role {role} can only be used globally.", field="role")
    wanted = find_role(tx, role)
    if project and not is_member(tx, project, user):
        raise errors.NotFound(f"{user.name} not a member of {project.name}", resource="user")
    grants.add(tx, user_id=user.id, project_id=project.id if project else "", role_id=wanted.id)


def remove_role(tx: Transaction, user: User, role: str, *, project: Project | None = None) -> None:
    """Take a grant away; NotFound, and nothing changed, where the user does not have it."""
    role_id = find_role(tx, role).id
    grants.remove(tx, user_id=user.id, project_id=project.id if project else "", role_id=role_id)


def has_role(tx: Transaction, user: User, role: str, *, project: Project | None = None, rules: RoleRules) -> bool:
    """Whether a role holds: a classic one in a project needs the grant to the user as well, unless it is global."""
    granted = set(grants.of_user(tx, user.id))
    everywhere = (role, "") in granted
    if project is None:
        return everywhere
    if role == MANAGER_ROLE:
        return project.manager_id == user.id
    if role in rules.global_roles:
        return everywhere
    return (role, project.id) in granted and (everywhere or role not in CLASSIC_ROLES)


def create_credential(tx: Transaction, user: User, project: Project) -> Ec2Credential:
    """A signing key of a member for a project; Forbidden where the user has no place in it."""
    if not is_member(tx, project, user) and not user.is_admin:
        raise errors.Forbidden("The user has no role in that project.")
    credential = Ec2Credential(
        access=uuid.uuid4().hex, secret=Secret(secrets.token_hex(16)), user_id=user.id, project_id=project.id
    )
    credentials.create(tx, credential)
    return credential


def create_default_roles(tx: Transaction) -> None:
    """The roles that every cloud has; those that are there stay."""
    there = {role.name for role in grants.roles(tx)}
    for name in DEFAULT_ROLES:
        if name not in there:
            grants.create_role(tx, Role(id=uuid.uuid4().hex, name=name))


def _checked_access_key(access_key: str) -> str:
    if not re.fullmatch(r"[!-9;-~]{1,255}", access_key):
        raise errors.InvalidInput("An access key holds visible ASCII characters and no colon.", field="access")
    return access_key
