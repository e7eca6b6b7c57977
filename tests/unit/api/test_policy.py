# SPDX-License-Identifier: Apache-2.0
"""Who may do what, by default and as the operator says."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from nova.api.policy import Policy
from nova.context import RequestContext
from nova.errors import Forbidden

CREATE = "os_compute_api:servers:create"
SHOW = "os_compute_api:servers:show"
GROUP = "os_compute_api:os-security-groups:create"
ADMIN_ONLY = "os_compute_api:os-services:list"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy()


def caller(*roles: str, admin: bool = False, project: str = "p") -> RequestContext:
    return RequestContext(user_id="u", project_id=project, roles=roles, is_admin=admin)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("member",), {SHOW, CREATE, GROUP}),
        ((), {SHOW, CREATE, GROUP}),
        (("some_role",), {SHOW, CREATE, GROUP}),
        (("reader",), {SHOW}),
        (("member", "reader"), {SHOW, CREATE, GROUP}),
        (("developer",), {SHOW}),
        (("itsec",), {SHOW}),
        (("sysadmin",), {SHOW, CREATE}),
        (("netadmin",), {SHOW, GROUP}),
        (("sysadmin", "netadmin"), {SHOW, CREATE, GROUP}),
        (("projectmanager", "developer"), {SHOW, CREATE, GROUP}),
    ],
)
def test_roles_and_what_they_may(policy: Policy, roles: tuple[str, ...], expected: set[str]) -> None:
    assert {rule for rule in (SHOW, CREATE, GROUP, ADMIN_ONLY) if policy.allows(caller(*roles), rule)} == expected


def test_the_role_admin_is_nothing_without_the_contexts_word(policy: Policy) -> None:
    assert not policy.allows(caller("admin"), ADMIN_ONLY)
    assert policy.allows(caller(admin=True), ADMIN_ONLY)


def test_things_of_other_projects_are_out_of_reach(policy: Policy) -> None:
    with pytest.raises(Forbidden):
        policy.authorize(caller("member"), SHOW, {"project_id": "other", "user_id": "u"})
    policy.authorize(caller(admin=True), SHOW, {"project_id": "other", "user_id": "u"})


def test_a_rule_that_nobody_registered_allows_nobody(policy: Policy) -> None:
    assert not policy.allows(caller(admin=True), "os_compute_api:mistyped")


def test_the_operators_file_changes_rules_while_the_daemon_runs(tmp_path: Path) -> None:
    now = 0.0
    file = tmp_path / "policy.yaml"
    policy = Policy(str(file), clock=lambda: now)
    assert not policy.allows(caller("member"), ADMIN_ONLY)
    file.write_text(f'"{ADMIN_ONLY}": "role:member"\n')
    now = 2.0
    assert policy.allows(caller("member"), ADMIN_ONLY)


def test_a_broken_file_leaves_the_rules_from_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    file = tmp_path / "policy.yaml"
    file.write_text(f'"{ADMIN_ONLY}": "role:member"\n')
    policy = Policy(str(file), clock=lambda: now)
    file.write_text("{ this is not yaml")
    now = 2.0
    assert policy.allows(caller("member"), ADMIN_ONLY)
    assert "policy file" in caplog.text


def test_a_misspelt_rule_in_the_file_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('"os_compute_api:servers:crate": "@"\n')
    policy = Policy(str(file))
    assert policy.unknown_rules() == ["os_compute_api:servers:crate"]
    assert "os_compute_api:servers:crate" in caplog.text


def test_the_sample_with_every_rule_commented_out_changes_nothing() -> None:
    sample = Path(__file__).parents[3] / "etc" / "nova" / "policy.yaml.sample"
    assert not Policy(str(sample)).allows(caller("member"), ADMIN_ONLY)


class _Yes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"True")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_rule_of_the_operator_may_ask_an_http_server(tmp_path: Path) -> None:
    Policy()  # without a file the plug-in that asks is not even looked for
    with HTTPServer(("127.0.0.1", 0), _Yes) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        file = tmp_path / "policy.yaml"
        file.write_text(f'"{ADMIN_ONLY}": "http://127.0.0.1:{server.server_port}/%(project_id)s"\n')
        assert Policy(str(file)).allows(caller("member"), ADMIN_ONLY)
