# SPDX-License-Identifier: Apache-2.0
"""nova-manage identity: the first administrator of the built-in identity store."""

from __future__ import annotations

import getpass
import sys

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.identity.bootstrap import FirstUser, bootstrap
from nova.identity.passwords import PasswordHasher
from nova.secret import Secret, same_secret


def read_password() -> Secret:
    """A password from the terminal, asked twice, or one line of standard input; never from the command line."""
    if not sys.stdin.isatty():
        return Secret(sys.stdin.readline().rstrip("\n"))
    password = getpass.getpass("Password: ")
    if not same_secret(password, getpass.getpass("Again: ")):
        raise errors.InvalidInput("The two passwords are not the same.")
    return Secret(password)


def create_admin(operator: Operator, *, user: str, project: str) -> None:
    """Make the roles, an administrator and his project; an existing user gets the new password."""
    password = read_password()
    if not password.reveal():
        raise errors.InvalidInput("A password is needed: type it, or give it as a line of standard input.")
    hasher = PasswordHasher(rounds=operator.conf.identity.password_hash_rounds)
    wanted = FirstUser(name=user, password=password, project=project, is_admin=True)
    bootstrap(operator.db, hasher=hasher, wanted=(wanted,))
    operator.say(f"The user {user} is administrator in the project {project}.")


CATEGORY = Category(
    "identity",
    "The built-in identity store.",
    (
        Action(
            "bootstrap",
            create_admin,
            "Make the roles and the first administrator; the password is asked for, or read from standard input.",
            (
                Argument("user", "name of the administrator", default="admin"),
                Argument("project", "name of his project", default="admin"),
            ),
        ),
    ),
)
