# SPDX-License-Identifier: Apache-2.0
"""nova-manage as an operator calls it: words in; what is printed and the exit code out; a real database in a file."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from nova.cmd.manage import identity
from nova.cmd.manage.main import CATEGORIES, main
from nova.db import aggregates, compute_nodes, instances, services
from nova.db.engine import Database, DatabaseSettings, Transaction
from nova.domain.flavor import Flavor
from nova.domain.host import HostResources
from nova.domain.instance import Instance
from nova.domain.states import VmState
from nova.secret import Secret

SERVICE = "{:<16} {:<36} {:<16} {:<10} {:<5} {:<10}"
TINY = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=10)


class Shell:
    """A prompt: ``run`` gives the exit code, ``out`` and ``err`` what the last command printed."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.url = f"sqlite:///{home}/nova.sqlite"
        self.config = home / "nova.conf"
        self.config.write_text(f"[DEFAULT]\nstate_path={home}\nlog_dir={home}\n[database]\nconnection={self.url}\n")
        self.config.chmod(0o640)
        self._capsys = capsys

    def run(self, words: str) -> int:
        code = main(["--config-file", str(self.config), *words.split()])
        self.out, self.err = self._capsys.readouterr()
        return code

    def write(self, work: Callable[[Transaction], object]) -> None:
        database = Database(DatabaseSettings(url=self.url))
        database.run(work)
        database.dispose()


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


@pytest.fixture
def shell(bare: Shell) -> Shell:
    assert bare.run("db sync") == 0, bare.err
    return bare


def beat(host: str, binary: str, *, reported: bool = True) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        services.heartbeat(
            tx, host=host, binary=binary, topic=binary.removeprefix("nova-"), availability_zone="nova", enabled=True
        )

    return work


def instance(name: str, **values: object) -> Instance:
    known = {"id": 0, "uuid": str(uuid.uuid4()), "display_name": name, "vm_state": VmState.BUILDING}
    known |= {"project_id": "acme", "user_id": "anne", "flavor": TINY, "image_ref": "img", "hostname": name}
    return Instance(**{**known, **values})  # type: ignore[arg-type]


# Words


def test_without_words_the_categories_are_listed(bare: Shell) -> None:
    assert bare.run("") == 2
    assert all(f"\n  {name} " in bare.out for name in CATEGORIES)
    assert bare.run("--help") == 0


def test_a_category_alone_lists_its_actions(bare: Shell) -> None:
    assert bare.run("flavor") == 2
    for action in ("create", "delete", "list", "set_key", "unset_key"):
        assert f"\n  {action}" in bare.err


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_there_and_explains_its_actions(category: str, bare: Shell) -> None:
    assert bare.run(f"bash-completion {category}") == 0
    actions = bare.out.split()
    assert actions
    for action in actions:
        assert bare.run(f"{category} {action} --help") == 0
        assert bare.out.startswith(f"nova-manage {category} {action}")


def test_completion_knows_the_categories(bare: Shell) -> None:
    assert bare.run("bash-completion") == 0
    assert bare.out.split() == list(CATEGORIES)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("nothing list", 2, "nothing does not match any options:\n"),
        ("f list", 2, "f matched multiple options:\n\tfixed\n\tflavor\n\tfloating\n"),
        ("flavor draw", 2, "draw does not match any actions:\n"),
        ("service enable", 1, "2 arguments are missing: host, service\n"),
        ("service enable here", 1, "An argument is missing: service\n"),
        ("host list a b", 1, "too many arguments: b\n"),
    ],
)
def test_words_that_are_not_understood(words: str, code: int, sentence: str, shell: Shell) -> None:
    assert shell.run(words) == code
    assert sentence in shell.err
    assert shell.out == ""


def test_words_may_be_shortened_and_written_in_any_case(shell: Shell) -> None:
    assert shell.run("SERV li") == 0
    assert shell.run("instance_type list m1.tiny") == 0
    assert shell.out.startswith("m1.tiny: ")


# Configuration and database


def test_the_version_is_one_line_that_begins_with_a_number(bare: Shell) -> None:
    assert bare.run("version") == bare.run("version list") == bare.run("--version") == 0
    assert re.fullmatch(r"\d+\.\d+\S*\n", bare.out)


def test_a_configuration_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config-file", "/nowhere/nova.conf", "host", "list"]) == 1
    assert re.fullmatch(r"error: .*/nowhere/nova\.conf.*\n", capsys.readouterr().err)


@pytest.mark.parametrize("words", ["service list", "flavor list", "host list", "vm list", "network list"])
def test_a_database_without_tables_is_said_with_what_to_run(words: str, bare: Shell) -> None:
    assert bare.run(words) == 1
    assert re.fullmatch(r"error: The .* has no tables: run 'nova-manage db sync'\.\n", bare.err)
    assert bare.out == ""


def test_a_database_in_a_place_that_is_not_there_is_one_line(bare: Shell) -> None:
    assert bare.run("--database-connection=sqlite:////nowhere/at/all.sqlite service list") == 1
    assert bare.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in bare.err


def test_db_sync_may_be_run_again_and_says_its_version(bare: Shell) -> None:
    assert bare.run("db version") == 0
    assert bare.out == "0\n"
    assert bare.run("db sync") == 0
    assert bare.run("flavor delete m1.tiny") == 0
    assert bare.run("db sync") == 0
    bare.run("db version")
    newest = int(bare.out)
    assert newest >= 1
    bare.run("flavor list")
    assert "m1.tiny" not in bare.out
    assert bare.run(f"db sync {newest + 1}") == 1
    assert f"no database version {newest + 1}" in bare.err


def test_config_lists_every_option_without_passwords(bare: Shell) -> None:
    assert bare.run("--sql_connection=mysql://nova:hunter2@h/nova --rabbit_password=hunter3 config list") == 0
    assert "[database] connection = mysql://nova:***@h/nova\n" in bare.out
    assert "hunter" not in bare.out


# Daemons and hosts


def test_services_are_listed_with_a_face_for_those_that_report(shell: Shell) -> None:
    for host, binary in (("c1", "nova-compute"), ("ctl", "nova-scheduler"), ("c2", "nova-compute")):
        shell.write(beat(host, binary))
        shell.write(beat(host, binary))
    shell.write(lambda tx: services.set_forced_down(tx, "c2", "nova-compute", forced_down=True))
    assert shell.run("service disable c1 nova-compute") == 0
    assert shell.out == "Service nova-compute on host c1 disabled.\n"
    assert shell.run("service list") == 0
    head, *rows = shell.out.splitlines()
    assert head == SERVICE.format("Binary", "Host", "Zone", "Status", "State", "Updated_At")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d ")
    told = {row.split()[1]: row.partition(now)[0].rstrip() for row in rows}
    assert told == {
        "c1": SERVICE.format("nova-compute", "c1", "nova", "disabled", ":-)", "").rstrip(),
        "ctl": SERVICE.format("nova-scheduler", "ctl", "internal", "enabled", ":-)", "").rstrip(),
        "c2": SERVICE.format("nova-compute", "c2", "nova", "enabled", "XXX", "").rstrip(),
    }
    assert shell.run("service list --host ctl") == 0
    assert len(shell.out.splitlines()) == 2
    assert shell.run("service list --service nova-compute") == 0
    assert len(shell.out.splitlines()) == 3
    assert shell.run("service enable --host=c1 --service=nova-compute") == 0
    assert shell.out == "Service nova-compute on host c1 enabled.\n"


def test_a_daemon_that_was_not_heard_of_for_long_has_no_face(shell: Shell) -> None:
    shell.write(beat("c1", "nova-compute"))
    database = Database(DatabaseSettings(url=shell.url))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE services SET updated_at = '2012-01-02 03:04:05.000000'")
    database.dispose()
    shell.run("service list")
    assert shell.out.splitlines()[1].split()[-3:] == ["XXX", "2012-01-02", "03:04:05"]


def test_an_unknown_daemon_is_an_error_of_its_own_code(shell: Shell) -> None:
    assert shell.run("service disable nowhere nova-compute") == 2
    assert shell.err.startswith("error: ")


def test_hosts_are_listed_once_with_their_zone(shell: Shell) -> None:
    for host, binary in (("c1", "nova-compute"), ("c1", "nova-network"), ("ctl", "nova-scheduler")):
        shell.write(beat(host, binary))
    assert shell.run("host list") == 0
    lines = ["{:<25}\t{:<15}".format(*row) for row in (("host", "zone"), ("c1", "nova"), ("ctl", "internal"))]
    assert shell.out.splitlines() == lines
    shell.run("host list nova")
    assert shell.out.splitlines() == lines[:2]


def test_resources_of_a_host_are_summed_by_project(shell: Shell) -> None:
    has = HostResources(
        host="c1", node="c1", vcpus=8, memory_mb=16384, disk_gb=100, disk_available_gb=90, hypervisor_type="fake",
        hypervisor_version=1, cpu_info="{}", host_ip="192.0.2.1", running_vms=0,
    )  # fmt: skip
    shell.write(lambda tx: compute_nodes.report(tx, has))
    shell.write(lambda tx: instances.insert(tx, [instance("a", host="c1"), instance("b", host="c1")]))
    assert shell.run("service describe_resource c1") == 0
    lines = shell.out.splitlines()
    assert lines[0] == "{:<25}{:>16}{:>8}{:>8}{:>8}".format("HOST", "PROJECT", "cpu", "mem(mb)", "hdd")
    assert lines[1] == "{:<16}(total){:>26}{:>8}{:>8}".format("c1", 8, 16384, 100)
    assert lines[2].startswith("c1              (used_now)")
    assert lines[3] == "{:<16}(used_max){:>23}{:>8}{:>8}".format("c1", 2, 1024, 20)
    assert lines[4] == "{:<25}{:>16}{:>8}{:>8}{:>8}".format("c1", "acme", 2, 1024, 20)
    assert shell.run("service describe_resource nowhere") == 1
    assert shell.err == "error: There is no compute host nowhere.\n"


def test_servers_are_listed_with_and_without_a_host(shell: Shell) -> None:
    made = [instance("web", host="c1", vm_state=VmState.ACTIVE), instance("new")]
    shell.write(lambda tx: instances.insert(tx, made))
    assert shell.run("vm list") == 0
    head, *rows = shell.out.splitlines()
    assert re.sub(" +", " ", head) == ("instance node type state launched image kernel ramdisk project user zone index")
    assert sorted(row.split()[0] for row in rows) == ["new", "web"]
    web = next(row for row in rows if row.startswith("web"))
    assert web.startswith(
        "{:<10} {:<15} {:<10} {:<10} {:<26} {:<9} ".format("web", "c1", "m1.tiny", "active", "None", "img")
    )
    shell.run("vm list --host c1")
    assert len(shell.out.splitlines()) == 2


# Flavors


def test_a_flavor_is_made_changed_listed_and_deleted(shell: Shell) -> None:
    assert shell.run("flavor create --name=big --memory=1024 --cpu=2 --root_gb=5 --flavor=77 --is_public=F") == 0
    assert shell.out == "big created\n"
    assert shell.run("flavor set_key big cpu:bound yes") == 0
    assert shell.out == "Key cpu:bound set to yes on instance type big\n"
    shell.run("flavor list big")
    assert shell.out == (
        "big: Memory: 1024MB, VCPUS: 2, Root: 5GB, Ephemeral: 0Gb, FlavorID: 77, Swap: 0MB, RXTX Factor: 1.0, "
        "private, ExtraSpecs {'cpu:bound': 'yes'}\n"
    )
    assert shell.run("flavor unset_key big cpu:bound") == 0
    assert shell.out == "Key cpu:bound on instance type big unset\n"
    assert shell.run("flavor delete big") == 0
    assert shell.out == "big deleted\n"
    assert shell.run("flavor delete big") == 1
    assert shell.err.startswith("error: ")


def test_a_flavor_without_an_id_gets_the_next_number(shell: Shell) -> None:
    shell.run("flavor create small 64 1 1")
    shell.run("flavor list small")
    assert "FlavorID: 6," in shell.out


def test_a_flavor_that_is_there_is_refused_with_the_list(shell: Shell) -> None:
    assert shell.run("flavor create m1.tiny 64 1 1") == 2
    assert "m1.small: Memory: 2048MB" in shell.out
    assert shell.err.startswith("error: ")


@pytest.mark.parametrize(
    "words", ["bad 0 1 1", "bad 64 -1 1", "bad 64 1 many", "bad 64 1 1 0 7 0 inf", "--name= 64 1 1"]
)
def test_a_flavor_that_cannot_be_is_refused(words: str, shell: Shell) -> None:
    assert shell.run(f"flavor create {words}") == 1
    assert shell.run("flavor list bad") == 0
    assert shell.out == ""


# Logs and the first administrator


def test_errors_of_the_logs_are_shown_newest_first(bare: Shell) -> None:
    assert bare.run("logs errors") == 0
    assert bare.out == "No errors in logfiles!\n"
    log = bare.home / "nova-compute.log"
    log.write_text("1 INFO a\n2 ERROR b\n3 ERROR c\n")
    bare.run("logs errors")
    assert bare.out == f"{log}:-\nLine 3 : 3 ERROR c\nLine 2 : 2 ERROR b\n"


def test_the_first_administrator_needs_a_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "read_password", lambda: Secret(""))
    assert shell.run("identity bootstrap") == 1
    assert "A password is needed" in shell.err
    monkeypatch.setattr(identity, "read_password", lambda: Secret("rather secret"))
    assert shell.run("--identity-password_hash_rounds=10 identity bootstrap --user=root --project=ops") == 0
    assert shell.out == "The user root is administrator in the project ops.\n"
    assert shell.run("user list") == 0
    assert shell.out.split() == ["root"]


def test_zones_come_from_aggregates(shell: Shell) -> None:
    shell.write(beat("c1", "nova-compute"))

    def work(tx: Transaction) -> None:
        made = aggregates.create(tx, "rack", availability_zone="east")
        aggregates.add_host(tx, made.id, "c1")

    shell.write(work)
    shell.run("host list east")
    assert shell.out.splitlines()[1].split() == ["c1", "east"]
