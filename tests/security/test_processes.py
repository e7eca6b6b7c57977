# SPDX-License-Identifier: Apache-2.0
"""Whole programs under attack: what they open, start, show and log, as the operating system and Python report it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova.cmd.manage import user
from nova.cmd.manage.main import CATEGORIES, _category
from nova.conf.loading import load
from nova.secret import Secret
from tests.functional.cloud import SmallCloud
from tests.integration.program import Home, Program
from tests.unit.cmd.manage.test_identity_categories import Shell

CHECKOUT = Path(__file__).parents[2]
CANARY = "c4n4ry"


def printed(*words: str) -> Any:
    """The JSON that a program of the tests prints."""
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, check=True, cwd=CHECKOUT, env=environ
    )
    return json.loads(done.stdout)


def test_refusals_do_not_depend_on_asserts() -> None:
    """OSSN-0048"""
    plain = printed("-m", "tests.security.refusals")
    assert printed("-O", "-m", "tests.security.refusals") == plain
    assert len(plain) > 200
    by_nobody = {name: statuses[0] for name, statuses in plain.items() if statuses[0] != 401}
    assert by_nobody == {}
    assert [name for name, statuses in plain.items() if any(status == 500 for status in statuses)] == []


def test_a_days_work_opens_no_guessable_name_and_runs_no_shell() -> None:
    """CVE-2013-0261, OSSN-0038, CVE-2026-42510, CVE-2026-44916"""
    seen = printed("-m", "tests.security.watched_day")
    assert all(status in (200, 202, 204, 400) for status in seen["statuses"])
    assert seen["statuses"].count(400) == 1, "only the name of the key is refused"
    assert len(seen["statuses"]) == 12
    assert seen["started"] == []
    code = tuple({sys.prefix, sys.base_prefix, str(CHECKOUT)})
    outside = [name for name in seen["outside"] if not name.startswith((*code, "/proc/", "/dev/urandom"))]
    assert outside == []
    assert "h1" in seen["written"]
    odd = [name for name in seen["written"] if any(sign in name for sign in "$`;{}'\"% ")]
    assert odd == []


def secret_options() -> list[tuple[str, str]]:
    """Group and name of every option that is declared as a secret text, but the two that are addresses."""
    conf = load([], prog="nova-all").conf
    found = []
    for group in (None, *conf._groups):
        options = conf._opts if group is None else conf._groups[group]._opts
        for name, entry in options.items():
            option = entry["opt"]
            if option.secret and isinstance(option, cfg.StrOpt) and name not in ("connection", "transport_url"):
                found.append((str(group or "DEFAULT"), str(name)))
    return found


def test_daemons_at_debug_show_no_secret_option(tmp_path: Path) -> None:
    """CVE-2013-2006: all daemons, with something secret in every option that takes it"""
    chosen = secret_options()
    assert len(chosen) > 3
    lines = [f"{name} = {CANARY}" for group, name in chosen if group == "DEFAULT"]
    lines += [f"[{group}]\n{name} = {CANARY}" for group, name in chosen if group != "DEFAULT"]
    home = Home(tmp_path, more="debug = true\n" + "\n".join(lines))
    assert home.config.read_text().count(CANARY) == len(chosen)
    with Program(home, home.argv("nova-all")) as program:
        program.wait_said("listens on", times=2)
        program.end(within_s=30)
    said = program.said()
    assert "host = test-host" in said
    assert "= ***" in said
    assert CANARY not in said
    logs = [path for path in tmp_path.rglob("*") if path.is_file() and path != home.config]
    assert [path for path in logs if CANARY.encode() in path.read_bytes()] == []


def test_a_user_deleted_by_nova_manage_is_out_at_once() -> None:
    """CVE-2013-2059"""
    cloud, shell = SmallCloud(), Shell()
    shell.db = cloud.db
    token, alice = cloud.token("alice"), cloud.users["alice"]
    path, body = f"/v3/users/{alice.id}/credentials/OS-EC2", {"tenant_id": alice.default_project_id}
    access = cloud.call("POST", path, token=token, body=body).json["credential"]["access"]
    assert cloud.identity.signing_key(access) is not None
    shell(user.CATEGORY, "delete", "alice")
    assert cloud.call("GET", "/v3/auth/projects", token=token).status_int == 401
    assert cloud.identity.signing_key(access) is None
    assert cloud.identity.signing_key(alice.access_key) is None


def test_no_password_is_shown_in_a_list_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2013-2013: no command takes one as a word; it is read from standard input"""
    words = [
        (category.name, action.name, argument.name)
        for category in map(_category, CATEGORIES)
        for action in category.actions
        for argument in action.arguments
    ]
    assert len(words) > 100
    assert [each for each in words if "password" in each[2]] == []
    cloud, shell = SmallCloud(), Shell()
    shell.db = cloud.db
    token = cloud.token("alice")
    monkeypatch.setattr("nova.cmd.manage.user.read_password", lambda: Secret("new-pw"))
    shell(user.CATEGORY, "password", "alice")
    assert cloud.call("GET", "/v3/auth/projects", token=token).status_int == 401
