# SPDX-License-Identifier: Apache-2.0
"""The first lines of every program: options, log, settings objects."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from nova import errors
from nova.cmd import configuration
from nova.conf.loading import Loaded, load


def loaded(tmp_path: Path, text: str = "[DEFAULT]\n", *argv: str) -> Loaded:
    path = tmp_path / "nova.conf"
    path.write_text(text)
    path.chmod(0o640)
    return load(["--config-file", str(path), *argv], prog="nova-api")


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from nova.cmd.configuration import start; start('nova-api'); print('started')"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *argv], capture_output=True, text=True, timeout=60
    )


def test_a_wrong_value_ends_the_program_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\nrabbit_port = abc\n")
    done = run("--config-file", str(path))
    assert done.returncode == 1
    assert done.stderr == (
        f"nova-api: {path}:2: [oslo_messaging_rabbit] rabbit_port = 'abc' is not valid: a port number is expected.\n"
    )


def test_help_and_version_end_well() -> None:
    assert run("--help").returncode == 0
    assert "--config-file" in run("-?").stdout
    assert run("--version").stdout.strip()


def test_a_program_says_at_debug_what_is_in_force_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(
        "[DEFAULT]\ndebug=1\nrabit_host=x\nrabbit_password=hunter2\ntransport_url=amqp://u:hunter3@h/\n"
        "sql_connection=mysql://u:hunter4@h/d\nldap_password=hunter5\n"
    )
    path.chmod(0o640)
    done = run("--config-file", str(path))
    assert done.stdout == "started\n"
    assert "did you mean rabbit_host?" in done.stderr
    assert "[database] connection = mysql://u:***@h/d" in done.stderr
    assert "hunter" not in done.stderr


def test_a_word_that_is_no_option_is_refused() -> None:
    done = run("start")
    assert (done.returncode, done.stderr) == (1, "nova-api: nova-api takes options only, and not the word 'start'.\n")


def test_the_dump_masks_secrets(tmp_path: Path) -> None:
    conf = loaded(tmp_path, "[keystone_authtoken]\nadmin_password=hunter2\n").conf
    lines = list(configuration.dump(conf))
    assert "[keystone_authtoken] password = ***" in lines
    assert not any("hunter2" in line for line in lines)


@pytest.mark.parametrize(
    ("argv", "level", "file"),
    [
        ((), logging.INFO, ""),
        (("--debug",), logging.DEBUG, ""),
        (("--noverbose",), logging.WARNING, ""),
        (("--logdir=/var/log/nova",), logging.INFO, "/var/log/nova/nova-api.log"),
        (("--log-dir=/l", "--log-file=x.log"), logging.INFO, "/l/x.log"),
    ],
)
def test_log_options_become_settings(tmp_path: Path, argv: tuple[str, ...], level: int, file: str) -> None:
    settings = configuration.log_settings(loaded(tmp_path, "[DEFAULT]\n", *argv).conf, "nova-api")
    assert (settings.level, settings.file) == (level, file)


def test_database_and_broker_options_become_settings(tmp_path: Path) -> None:
    conf = loaded(tmp_path, "--sql_connection=mysql://a:b@c/d\n--sql_max_pool_size=3\n--rabbit_host=r\n").conf
    assert configuration.database_settings(conf).url == "mysql://a:b@c/d"
    assert configuration.database_settings(conf).max_pool_size == 3
    broker = configuration.transport_settings(conf).brokers[0]
    assert (broker.host, broker.port, broker.user) == ("r", 5672, "guest")
    assert configuration.transport_settings(loaded(tmp_path, "--fake_rabbit\n").conf).scheme == "memory"


def test_tls_to_the_broker_is_asked_for_or_not(tmp_path: Path) -> None:
    assert configuration.transport_settings(loaded(tmp_path).conf).tls is None
    tls = configuration.transport_settings(
        loaded(tmp_path, "--rabbit_use_ssl\n--kombu_ssl_ca_certs=/ca.pem\n").conf
    ).tls
    assert tls is not None
    assert tls.ca_file == "/ca.pem"


def test_endpoints_that_a_neighbour_serves_are_not_opened_unless_somebody_says_so(tmp_path: Path) -> None:
    everything = ["osapi_compute", "ec2", "metadata", "osapi_volume", "identity", "image"]
    assert configuration.enabled_apis(loaded(tmp_path).conf) == everything
    neighbours = "--auth_strategy=keystone\n--volume_api_class=nova.volume.cinder.API\n"
    assert configuration.enabled_apis(loaded(tmp_path, neighbours).conf) == everything[:3]
    chosen = loaded(tmp_path, neighbours + "--enabled_apis=osapi,identity,osapi\n").conf
    assert configuration.enabled_apis(chosen) == ["osapi_compute", "identity"]


def test_the_image_store_follows_what_is_there(tmp_path: Path) -> None:
    assert configuration.image_store(loaded(tmp_path).conf) == "local"
    assert configuration.image_store(loaded(tmp_path, "--glance_api_servers=a\n").conf) == "glance"
    assert (
        configuration.image_store(loaded(tmp_path, "[image]\nstore=local\n[glance]\napi_servers=a\n").conf) == "local"
    )


def test_a_companion_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "api-paste.ini").write_text("")
    (tmp_path / "api-paste.ini").chmod(0o640)
    assert configuration.paste_file(loaded(tmp_path)) == tmp_path / "api-paste.ini"


def test_a_paste_or_policy_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    for name in ("api-paste.ini", "policy.json"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o666)
    for read in (configuration.paste_file, configuration.policy_file):
        with pytest.raises(errors.InvalidConfiguration, match="Everybody may write"):
            read(loaded(tmp_path))


def test_a_paste_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="the file /none.ini is not there"):
        configuration.paste_file(loaded(tmp_path, "--api_paste_config=/none.ini\n"))


def test_a_policy_file_may_be_absent_unless_somebody_named_it(tmp_path: Path) -> None:
    assert configuration.policy_file(loaded(tmp_path)) is None
    (tmp_path / "policy.yaml").write_text("")
    (tmp_path / "policy.yaml").chmod(0o640)
    assert configuration.policy_file(loaded(tmp_path)) == tmp_path / "policy.yaml"
    with pytest.raises(errors.InvalidConfiguration, match=r"the file mine.json is not there"):
        configuration.policy_file(loaded(tmp_path, "--policy_file=mine.json\n"))
