# SPDX-License-Identifier: Apache-2.0
"""nova-manage user: the users of the built-in identity store, with their signing keys and passwords."""

from __future__ import annotations

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category, boolean
from nova.cmd.manage.identity import read_password
from nova.cmd.manage.operator import Operator
from nova.db.engine import Transaction
from nova.db.identity import users
from nova.domain.identity import User
from nova.identity import administration
from nova.identity.credential_files import exports
from nova.identity.passwords import PasswordHasher
from nova.secret import Secret


def _create(operator: Operator, *, name: str, access: str, secret: str, is_admin: bool) -> None:
    def work(tx: Transaction) -> User:
        administration.create_default_roles(tx)
        key = Secret(secret) if secret else None
        return administration.create_user(tx, name, access_key=access, secret_key=key, is_admin=is_admin)

    operator.say(exports(operator.db.run(work)))


def create(operator: Operator, *, name: str, access: str, secret: str) -> None:
    """Make a user and print the keys."""
    _create(operator, name=name, access=access, secret=secret, is_admin=False)


def admin(operator: Operator, *, name: str, access: str, secret: str) -> None:
    """Make an administrator and print the keys."""
    _create(operator, name=name, access=access, secret=secret, is_admin=True)


def named(tx: Transaction, name: str) -> User:
    """The user with that name; NotFound in the words that scripts know."""
    found = users.by_name(tx, name)
    if found is None:
        raise errors.NotFound(f"User {name} doesn't exist", resource="user", id=name)
    return found


def delete(operator: Operator, *, name: str) -> None:
    """Remove a user with all keys, grants and tokens."""
    operator.db.run(lambda tx: users.remove(tx, named(tx, name).id))


def show_exports(operator: Operator, *, name: str) -> None:
    """Print a user's keys as shell exports."""
    operator.say(exports(operator.db.run(lambda tx: named(tx, name), write=False)))


def list_users(operator: Operator) -> None:
    """One name on each line."""
    for user in operator.db.run(users.find, write=False):
        operator.say(user.name)


def modify(operator: Operator, *, name: str, access: str, secret: str, is_admin: bool | None) -> None:
    """Change keys and the admin flag; what is empty stays."""

    def work(tx: Transaction) -> None:
        key = Secret(secret) if secret else None
        administration.modify_user(tx, named(tx, name), access_key=access, secret_key=key, is_admin=is_admin)

    operator.db.run(work)


def password(operator: Operator, *, name: str) -> None:
    """Set the password, read from the terminal or from standard input; ends the user's tokens."""
    hashed = PasswordHasher(rounds=operator.conf.identity.password_hash_rounds).hash(read_password())
    operator.db.run(lambda tx: users.set_password(tx, named(tx, name).id, hashed))


def _flag_or_blank(word: str) -> bool | None:
    return boolean(word) if word.strip() else None


_NAME = Argument("name", "name of the user", required=True)
_ACCESS = Argument("access", "access key; a random one where none is given", default="")
_SECRET = Argument("secret", "secret key; a random one where none is given", default="")

CATEGORY = Category(
    "user",
    "Users of the built-in identity store.",
    (
        Action("admin", admin, "Make an administrator.", (_NAME, _ACCESS, _SECRET)),
        Action("create", create, "Make a user.", (_NAME, _ACCESS, _SECRET)),
        Action("delete", delete, "Remove a user.", (_NAME,)),
        Action("exports", show_exports, "Print a user's keys as shell exports.", (_NAME,)),
        Action("list", list_users, "List the users."),
        Action(
            "modify",
            modify,
            "Change a user; what is blank stays.",
            (
                _NAME,
                Argument("access", "new access key", default=""),
                Argument("secret", "new secret key", default=""),
                Argument("is_admin", "whether an administrator (T or F)", convert=_flag_or_blank),
            ),
        ),
        Action("password", password, "Set a password, asked for or read from standard input.", (_NAME,)),
    ),
)
