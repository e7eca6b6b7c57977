# SPDX-License-Identifier: Apache-2.0
"""nova-manage project (older: account): projects of the built-in identity store, their members, quotas and networks."""

from __future__ import annotations

import sys
from pathlib import Path

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.cmd.manage.user import named
from nova.cmd.quotas import quota_defaults
from nova.conf import urls
from nova.db import networks, quota_limits, security_groups
from nova.db.engine import Transaction
from nova.db.identity import projects
from nova.domain.identity import Project, User
from nova.domain.quota import UNLIMITED
from nova.identity import administration
from nova.identity.credential_files import PublicUrls, novarc
from nova.system.files import write_atomically


def _pair(tx: Transaction, project: str, user: str) -> tuple[Project, User]:
    return administration.find_project(tx, project), named(tx, user)


def add(operator: Operator, *, project: str, user: str) -> None:
    """Make a user a member."""

    def work(tx: Transaction) -> None:
        administration.create_default_roles(tx)
        administration.add_member(tx, *_pair(tx, project, user))

    operator.db.run(work)


def create(operator: Operator, *, project: str, user: str, desc: str | None) -> None:
    """Make a project; its manager becomes its first member."""

    def work(tx: Transaction) -> None:
        administration.create_default_roles(tx)
        administration.create_project(tx, project, manager=named(tx, user), description=desc)

    operator.db.run(work)


def modify(operator: Operator, *, project: str, user: str, desc: str | None) -> None:
    """Change manager and description."""

    def work(tx: Transaction) -> None:
        place, manager = _pair(tx, project, user)
        administration.modify_project(tx, place, manager=manager, description=desc)

    operator.db.run(work)


def delete(operator: Operator, *, project: str) -> None:
    """Remove a project with its grants, keys and tokens."""
    operator.db.run(lambda tx: projects.remove(tx, administration.find_project(tx, project).id))


def remove(operator: Operator, *, project: str, user: str) -> None:
    """Take a member out."""
    operator.db.run(lambda tx: administration.remove_member(tx, *_pair(tx, project, user)))


def list_projects(operator: Operator, *, user: str) -> None:
    """One name on each line; of one user where one is given."""

    def work(tx: Transaction) -> tuple[Project, ...]:
        return projects.of_user(tx, named(tx, user).id, enabled_only=False) if user else projects.find(tx)

    for project in operator.db.run(work, write=False):
        operator.say(project.name)


def environment(operator: Operator, *, project: str, user: str, file: str) -> None:
    """Write novarc, readable for its owner only; ``-`` is standard output."""

    def work(tx: Transaction) -> tuple[Project, User]:
        place, person = _pair(tx, project, user)
        if not administration.is_member(tx, place, person):
            raise errors.NotFound(f"{user} not a member of {project}", resource="user", id=user)
        return place, person

    place, person = operator.db.run(work, write=False)
    text = novarc(person, place, urls=_public_urls(operator))
    if file == "-":
        operator.out.write(text)
        return
    try:
        write_atomically(Path(file).absolute(), text, mode=0o600)
    except OSError as exc:
        raise errors.InvalidInput(f"{file} cannot be written: {exc.strerror}.") from exc
    print(f"{file} written", file=sys.stderr)


def _public_urls(operator: Operator) -> PublicUrls:
    conf = operator.conf
    return PublicUrls(
        ec2=urls.ec2_endpoint(conf).url,
        s3=f"http://{conf.s3_dmz}:{conf.s3_port}",
        compute=urls.compute_endpoint(conf).url,
    )


def _id_of(tx: Transaction, project: str) -> str:
    """The id behind a name of ours; where users live elsewhere, the text is the id."""
    found = projects.by_name(tx, project)
    return found.id if found else project


def quota(operator: Operator, *, project: str, key: str, value: str) -> None:
    """Set one limit, or only print all."""
    defaults = quota_defaults(operator.conf)
    if key and key not in defaults:
        raise errors.InvalidInput(f"{key} is no quota; these are: {', '.join(defaults)}.", field="key")

    def work(tx: Transaction) -> dict[str, int]:
        project_id = _id_of(tx, project)
        if key and value:
            quota_limits.set_limits(tx, project_id, {key: _limit(value)})
        return quota_limits.effective(tx, project_id, defaults=defaults)

    for name, limit in sorted(operator.db.run(work).items()):
        operator.say(f"{name}: {'unlimited' if limit == UNLIMITED else limit}")


def _limit(text: str) -> int:
    if text.lower() in ("unlimited", "none"):
        return UNLIMITED
    try:
        number = int(text)
    except ValueError:
        number = UNLIMITED - 1
    if number < UNLIMITED:
        raise errors.InvalidInput("A limit is a number from 0 on, -1 or unlimited.", field="value")
    return number


def scrub(operator: Operator, *, project: str) -> None:
    """Free the project's networks for others and delete its security groups."""

    def work(tx: Transaction) -> None:
        project_id = _id_of(tx, project)
        for network in networks.find_all(tx):
            if network.project_id == project_id:
                networks.associate(tx, network.id, project_id="")
        security_groups.delete_project_groups(tx, project_id)

    operator.db.run(work)


_PROJECT = Argument("project", "name of the project", required=True, spellings=("name",))
_USER = Argument("user", "name of the user", required=True)
_MANAGER = Argument("user", "name of the manager", required=True)
_DESC = Argument("desc", "description", spellings=("description",))

CATEGORY = Category(
    "project",
    "Projects of the built-in identity store.",
    (
        Action("add", add, "Make a user a member of a project.", (_PROJECT, _USER)),
        Action("create", create, "Make a project.", (_PROJECT, _MANAGER, _DESC)),
        Action("modify", modify, "Change a project's manager and description.", (_PROJECT, _MANAGER, _DESC)),
        Action("delete", delete, "Remove a project.", (_PROJECT,)),
        Action("remove", remove, "Take a user out of a project.", (_PROJECT, _USER)),
        Action("list", list_projects, "List the projects.", (Argument("user", "of this user", default=""),)),
        Action(
            "environment",
            environment,
            "Write novarc for a member.",
            (_PROJECT, _USER, Argument("file", "where to; - is standard output", default="novarc")),
        ),
        Action(
            "quota",
            quota,
            "Show a project's limits, or set one.",
            (
                _PROJECT,
                Argument("key", "name of the limit", default=""),
                Argument("value", "the limit, or unlimited", default=""),
            ),
        ),
        Action("scrub", scrub, "Free a project's networks and delete its security groups.", (_PROJECT,)),
    ),
    spellings=("account",),
)
