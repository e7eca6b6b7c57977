# SPDX-License-Identifier: Apache-2.0
"""nova-manage user, project and role, with a real database."""

from __future__ import annotations

import io
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.cmd.manage import project, role, user
from nova.cmd.manage.frame import Category, find, read
from nova.conf.loading import load
from nova.db.engine import Database, DatabaseSettings
from nova.db.identity import users
from nova.db.models import Base


class Shell:
    """An operator at a shell; calling it gives what the command prints."""

    def __init__(self) -> None:
        self.db = Database(DatabaseSettings(url="sqlite://"))
        Base.metadata.create_all(self.db.engine)
        self.conf: Any = load([], prog="nova-manage").conf
        self.out = io.StringIO()

    def say(self, line: str = "") -> None:
        self.out.write(line + "\n")

    def __call__(self, category: Category, *words: str) -> str:
        action = find(words[0], category.actions, what="actions")
        self.out = io.StringIO()
        action.run(
            types.SimpleNamespace(db=self.db, conf=self.conf, say=self.say, out=self.out), **read(action, words[1:])
        )
        return self.out.getvalue()


@pytest.fixture
def shell() -> Shell:
    found = Shell()
    found(user.CATEGORY, "create", "anne", "anne-key", "anne-secret")
    found(project.CATEGORY, "create", "irt", "anne", "a test")
    return found


def test_a_user_is_made_and_the_exports_are_printed(shell: Shell) -> None:
    printed = shell(user.CATEGORY, "exports", "anne")
    assert printed == "export EC2_ACCESS_KEY=anne-key\nexport EC2_SECRET_KEY=anne-secret\n"
    assert "export EC2_ACCESS_KEY=" in shell(user.CATEGORY, "admin", "--name=boss")
    assert shell(user.CATEGORY, "list").split() == ["anne", "boss"]


def test_an_unknown_user_is_named(shell: Shell) -> None:
    with pytest.raises(errors.NotFound, match="User nobody doesn't exist"):
        shell(user.CATEGORY, "exports", "nobody")
    with pytest.raises(errors.AlreadyExists):
        shell(user.CATEGORY, "create", "anne")


def test_blank_words_of_modify_change_nothing(shell: Shell) -> None:
    shell(user.CATEGORY, "modify", "anne", "new-key", "", "T")
    with shell.db.transaction(write=False) as tx:
        anne = users.by_name(tx, "anne")
    assert anne is not None
    assert anne.secret_key is not None
    assert (anne.access_key, anne.secret_key.reveal(), anne.is_admin) == ("new-key", "anne-secret", True)


def test_members_come_and_go(shell: Shell) -> None:
    shell(user.CATEGORY, "create", "bert")
    shell(project.CATEGORY, "add", "irt", "bert")
    assert shell(project.CATEGORY, "list", "bert") == "irt\n"
    shell(project.CATEGORY, "remove", "--project=irt", "--user=bert")
    assert shell(project.CATEGORY, "list", "--user", "bert") == ""
    with pytest.raises(errors.NotFound):
        shell(project.CATEGORY, "remove", "irt", "bert")
    with pytest.raises(errors.Conflict):
        shell(project.CATEGORY, "remove", "irt", "anne")


def test_a_classic_role_holds_in_a_project_only_with_the_grant_to_the_user(shell: Shell) -> None:
    shell(role.CATEGORY, "add", "anne", "sysadmin", "irt")
    assert shell(role.CATEGORY, "has", "anne", "sysadmin", "irt") == "False\n"
    shell(role.CATEGORY, "add", "anne", "sysadmin")
    assert shell(role.CATEGORY, "has", "anne", "sysadmin", "irt") == "True\n"
    assert shell(role.CATEGORY, "has", "anne", "projectmanager", "irt") == "True\n"
    shell(role.CATEGORY, "remove", "anne", "sysadmin")
    assert shell(role.CATEGORY, "has", "anne", "sysadmin", "irt") == "False\n"


def test_roles_that_cannot_be_granted_are_refused(shell: Shell) -> None:
    shell(user.CATEGORY, "create", "bert")
    with pytest.raises(errors.InvalidInput):
        shell(role.CATEGORY, "add", "anne", "cloudadmin", "irt")
    with pytest.raises(errors.InvalidInput):
        shell(role.CATEGORY, "add", "anne", "projectmanager", "irt")
    with pytest.raises(errors.NotFound):
        shell(role.CATEGORY, "add", "anne", "juggler")
    with pytest.raises(errors.NotFound, match="bert not a member of irt"):
        shell(role.CATEGORY, "add", "bert", "netadmin", "irt")


def test_novarc_can_be_sourced_and_executes_nothing_from_names(shell: Shell, tmp_path: Path) -> None:
    name = f"p'; touch {tmp_path}/PWN; $(touch {tmp_path}/PWN) '"
    shell(project.CATEGORY, "create", name, "anne")
    file = tmp_path / "novarc"
    shell(project.CATEGORY, "environment", name, "anne", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    command = ["bash", "-c", f'source {file}; printf "%s|%s|%s" "$NOVA_PROJECT_ID" "$EC2_ACCESS_KEY" "$NOVA_CERT"']
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    assert shown == f"{name}|anne-key:{name}|{tmp_path}/cacert.pem"
    assert not (tmp_path / "PWN").exists()
    assert shell(project.CATEGORY, "environment", "irt", "anne", "-").startswith("NOVARC=")


def test_quotas_are_shown_and_set(shell: Shell) -> None:
    assert "instances: 10\n" in shell(project.CATEGORY, "quota", "irt")
    assert "instances: 50\n" in shell(project.CATEGORY, "quota", "irt", "instances", "50")
    assert "cores: unlimited\n" in shell(project.CATEGORY, "quota", "--project=irt", "--key=cores", "--value=unlimited")
    with pytest.raises(errors.InvalidInput):
        shell(project.CATEGORY, "quota", "irt", "nonsense", "1")
    with pytest.raises(errors.InvalidInput):
        shell(project.CATEGORY, "quota", "irt", "cores", "-5")


def test_a_deleted_project_and_user_are_gone(shell: Shell) -> None:
    shell(project.CATEGORY, "scrub", "irt")
    shell(project.CATEGORY, "delete", "irt")
    shell(user.CATEGORY, "delete", "anne")
    assert shell(project.CATEGORY, "list") == shell(user.CATEGORY, "list") == ""
