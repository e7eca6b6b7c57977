# SPDX-License-Identifier: Apache-2.0
"""One configuration from files of both dialects, the command line and the defaults."""

import logging
from pathlib import Path

import pytest

from nova import errors
from nova.conf.loading import Loaded, load

DATA = Path(__file__).parents[2] / "data" / "conf"


def read(tmp_path: Path, text: str, *argv: str, name: str = "nova.conf") -> Loaded:
    path = tmp_path / name
    path.write_text(text)
    path.chmod(0o640)
    return load(["--config-file", str(path), *argv], prog="nova-api")


def warnings_of(loaded: Loaded) -> list[str]:
    return [notice.text for notice in loaded.notices if notice.level >= logging.WARNING]


def test_without_a_file_every_option_has_its_default(tmp_path: Path) -> None:
    conf = load([], prog="nova-api", search=[str(tmp_path)]).conf
    assert conf.enabled_apis == ["osapi_compute", "ec2", "metadata", "osapi_volume", "identity", "image"]
    assert conf.ram_allocation_ratio == 1.5
    assert conf.quota.instances == 10
    assert conf.my_ip.count(".") == 3
    assert conf.host


def test_an_ini_file_is_read_by_sections(tmp_path: Path) -> None:
    conf = read(tmp_path, "[DEFAULT]\nreport_interval = 7\n[database]\nconnection = sqlite:///x\n").conf
    assert conf.report_interval == 7
    assert conf.database.connection == "sqlite:///x"


def test_a_flagfile_is_known_by_its_first_line(tmp_path: Path) -> None:
    conf = read(tmp_path, "# comment\n// another\n\n--report_interval=7\n--multi_host=T\n--noforce_dhcp_release\n").conf
    assert conf.report_interval == 7
    assert conf.multi_host is True
    assert conf.force_dhcp_release is False


@pytest.mark.parametrize(
    "line",
    [
        "--report_interval=7",
        "-report_interval=7",
        "–report_interval=7",
        "--report-interval=7",
        "--report_interval = 7",
        "- -report_interval=7",
        "--report_interval 7",
        "--report_interval='7'",
    ],
)
def test_every_spelling_of_a_flag_line_is_read(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\n").conf.report_interval == 7


@pytest.mark.parametrize("word", ["T", "true", "1", "Yes", "on", "t"])
def test_booleans_of_both_dialects_are_true(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"[DEFAULT]\nmulti_host = {word}\n").conf.multi_host is True


@pytest.mark.parametrize("word", ["F", "false", "0", "No", "off"])
def test_booleans_of_both_dialects_are_false(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"--vnc_enabled={word}\n").conf.vnc.enabled is False


def test_a_flag_whose_own_name_begins_with_no_is_not_negated(tmp_path: Path) -> None:
    loaded = read(tmp_path, "--notify_on_any_change\n--nodaemon\n--node_availability_zone=z1\n")
    assert loaded.conf.notify_on_any_change is True
    assert loaded.conf.default_availability_zone == "z1"
    assert any("nodaemon has no effect" in text for text in warnings_of(loaded))


def test_a_stray_flag_line_inside_an_ini_file_is_read(tmp_path: Path) -> None:
    conf = read(tmp_path, "[DEFAULT]\nverbose = true\n--report_interval=7\n[database]\n--multi_host\n").conf
    assert (conf.report_interval, conf.multi_host) == (7, True)


def test_a_nested_flagfile_is_read_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "inner.conf").write_text("--report_interval=8\n--periodic_interval=9\n")
    conf = read(tmp_path, "--report_interval=1\n--flagfile=inner.conf\n--periodic_interval=3\n").conf
    assert (conf.report_interval, conf.periodic_interval) == (8, 3)


def test_a_flagfile_that_includes_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="includes itself"):
        read(tmp_path, "--flagfile=nova.conf\n")


def test_a_nested_flagfile_that_is_not_there_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    loaded = read(tmp_path, "--flagfile=/nowhere/nova-compute.conf\n--report_interval=2\n")
    assert loaded.conf.report_interval == 2
    assert "/nowhere/nova-compute.conf" in warnings_of(loaded)[0]


def test_the_last_line_of_a_repeated_key_wins_also_in_a_repeated_section(tmp_path: Path) -> None:
    text = "[vnc]\nvncserver_listen = a\nvncserver_listen = b\n[DEFAULT]\nverbose=1\n[vnc]\nkeymap = de\n"
    conf = read(tmp_path, text).conf
    assert (conf.vnc.vncserver_listen, conf.vnc.keymap) == ("b", "de")


def test_an_option_of_many_values_collects_them_from_all_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.conf", tmp_path / "two.conf"
    one.write_text("--dns_server=1.1.1.1\n--dns_server=2.2.2.2\n")
    two.write_text("[DEFAULT]\ndns_server=3.3.3.3\n")
    conf = load(["--flagfile", str(one), "--config-file", str(two)], prog="nova-network").conf
    assert conf.dns_server == ["1.1.1.1", "2.2.2.2", "3.3.3.3"]


def test_a_later_file_wins_over_an_earlier_one_even_in_an_older_spelling(tmp_path: Path) -> None:
    one, two = tmp_path / "one.conf", tmp_path / "two.conf"
    one.write_text("[database]\nconnection = sqlite:///new\n")
    two.write_text("--sql_connection=sqlite:///old\n")
    conf = load([f"--config-file={one}", f"--flagfile={two}"], prog="nova-api").conf
    assert conf.database.connection == "sqlite:///old"


def test_in_one_file_the_newest_spelling_wins_whatever_the_order(tmp_path: Path) -> None:
    text = "[database]\nconnection = sqlite:///new\n[DEFAULT]\nsql_connection = sqlite:///old\n"
    assert read(tmp_path, text).conf.database.connection == "sqlite:///new"
    text = "[DEFAULT]\nconnection_type = xenapi\ncompute_driver = libvirt.LibvirtDriver\n"
    assert read(tmp_path, text).conf.compute_driver == "libvirt"


def test_section_names_are_read_in_any_case(tmp_path: Path) -> None:
    assert read(tmp_path, "[DATABASE]\nsql_connection = sqlite:///x\n").conf.database.connection == "sqlite:///x"


def test_the_command_line_is_stronger_than_files(tmp_path: Path) -> None:
    text = "[DEFAULT]\nreport_interval=3\ndns_server=1.1.1.1\n"
    conf = read(tmp_path, text, "--report-interval", "4", "--dns_server=9.9.9.9").conf
    assert conf.report_interval == 4
    assert conf.dns_server == ["9.9.9.9"]


@pytest.mark.parametrize(
    "argv",
    [
        ["--sql_connection=sqlite:///c"],
        ["--sql-connection", "sqlite:///c"],
        ["--database-connection", "sqlite:///c"],
        ["--database.connection=sqlite:///c"],
        ["-sql_connection=sqlite:///c"],
    ],
)
def test_any_declared_option_is_taken_on_the_command_line(tmp_path: Path, argv: list[str]) -> None:
    assert read(tmp_path, "[DEFAULT]\n", *argv).conf.database.connection == "sqlite:///c"


def test_booleans_on_the_command_line_take_no_word_after_them(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[DEFAULT]\n", "--debug", "--nouse_cow_images", "service", "--list")
    assert loaded.conf.debug is True
    assert loaded.conf.use_cow_images is False
    assert loaded.rest == ("service", "--list")


def test_an_unknown_option_on_the_command_line_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r"--report_intervall is not known.*--report_interval\?"):
        load(["--report_intervall=3"], prog="nova-api")


@pytest.mark.parametrize("word", ["--help", "-h", "-?", "--helpshort", "--helpxml"])
def test_every_way_of_asking_for_help_is_understood(word: str) -> None:
    assert load([word], prog="nova-api", search=[]).help_wanted


def test_both_files_are_found_without_being_named(tmp_path: Path) -> None:
    first, second = tmp_path / "home", tmp_path / "etc"
    first.mkdir()
    second.mkdir()
    (second / "nova.conf").write_text("[DEFAULT]\nlibvirt_type=kvm\nreport_interval=3\n")
    (second / "nova-compute.conf").write_text((DATA / "grizzly-nova-compute.conf").read_text())
    loaded = load([], prog="nova-compute", search=[str(first), str(second)])
    assert loaded.files == (second / "nova.conf", second / "nova-compute.conf")
    assert (loaded.conf.libvirt.virt_type, loaded.conf.libvirt.cpu_mode) == ("qemu", "none")
    (first / "nova.conf").write_text("[DEFAULT]\nreport_interval=4\n")
    assert load([], prog="nova-compute", search=[str(first), str(second)]).conf.report_interval == 4


def test_a_directory_of_files_is_read_in_order_after_the_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "20.conf").write_text("[DEFAULT]\nreport_interval=20\n")
    (tmp_path / "d" / "10.conf").write_text("[DEFAULT]\nreport_interval=10\nperiodic_interval=11\n")
    (tmp_path / "d" / "README").write_text("no configuration")
    conf = read(tmp_path, "[DEFAULT]\nreport_interval=1\n", "--config-dir", str(tmp_path / "d")).conf
    assert (conf.report_interval, conf.periodic_interval) == (20, 11)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r"absent.conf cannot be read: No such file"):
        load(["--config-file", str(tmp_path / "absent.conf")], prog="nova-api")


def test_names_in_values_are_replaced_and_unknown_ones_stay(tmp_path: Path) -> None:
    text = (
        "[DEFAULT]\nmy_ip = 10.0.0.9\nstate_path=/srv\nec2_host = $MY_IP\ns3_host=$my_ip.suffix\n"
        "vncserver_listen=${my_ip}\nrabbit_password = a$$b$nothing$5\nldap_url = ldap://$nova_host\n"
    )
    conf = read(tmp_path, text).conf
    assert conf.instances_path == "/srv/instances"
    assert conf.ec2_host == "$MY_IP"
    assert conf.s3_host == "10.0.0.9.suffix"
    assert conf.vnc.vncserver_listen == "10.0.0.9"
    assert conf.oslo_messaging_rabbit.rabbit_password == "a$b$nothing$5"
    assert conf.ldap_url == "ldap://$nova_host"


def test_a_number_may_be_given_by_the_name_of_another_option(tmp_path: Path) -> None:
    assert read(tmp_path, "[DEFAULT]\nec2_listen_port=9000\nec2_port=$ec2_listen_port\n").conf.ec2_port == 9000


def test_values_that_name_each_other_in_a_circle_stay_as_typed(tmp_path: Path) -> None:
    conf = read(tmp_path, "[DEFAULT]\nec2_host=$s3_host\ns3_host=$ec2_host\n").conf
    assert conf.ec2_host in ("$s3_host", "$ec2_host")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rabbit_port=abc", "[oslo_messaging_rabbit] rabbit_port = 'abc' is not valid: a port number is expected."),
        ("report_interval=often", "report_interval = 'often' is not valid: a whole number is expected."),
        ("report_interval=0", "report_interval = '0' is not valid: Should be greater than or equal to 1."),
        ("report_interval=", "report_interval has no value: a whole number is expected."),
        ("multi_host=maybe", "multi_host = 'maybe' is not valid: true or false is expected."),
        ("ram_allocation_ratio=x", "ram_allocation_ratio = 'x' is not valid: a number is expected."),
        (
            "network_manager=FlatDCHPManager",
            "one of flat, flat_dhcp, vlan is expected (did you mean flatdhcpmanager?).",
        ),
        ("enabled_apis=ec2,osapi_comptue", "osapi_comptue"),
        ("default_floating_pool=%SERVICE_POOL%", "is a placeholder"),
    ],
)
@pytest.mark.parametrize("form", ["[DEFAULT]\n\n{}\n", "--verbose\n\n--{}\n"])
def test_a_value_of_the_wrong_kind_is_refused_with_place_and_reason(
    tmp_path: Path, line: str, says: str, form: str
) -> None:
    with pytest.raises(errors.InvalidConfiguration) as caught:
        read(tmp_path, form.format(line))
    assert f"{tmp_path}/nova.conf:3: " in caught.value.message
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_line_that_is_nothing_is_refused_in_an_ini_file(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r"nova.conf:2: a setting is written as name = value"):
        read(tmp_path, "[DEFAULT]\nwhatever\n")


def test_a_value_goes_on_in_indented_lines(tmp_path: Path) -> None:
    conf = read(tmp_path, "[DEFAULT]\nenabled_apis = ec2,\n    metadata\nverbose = 1\n").conf
    assert conf.enabled_apis == ["ec2", "metadata"]


def test_quotes_around_a_value_and_blanks_in_lists_are_taken_away(tmp_path: Path) -> None:
    conf = read(tmp_path, '[DEFAULT]\ndhcp_domain = "x y"\nenabled_apis = ec2 , osapi\n').conf
    assert conf.dhcp_domain == "x y"
    assert conf.enabled_apis == ["ec2", "osapi_compute"]


def test_an_unknown_option_is_one_warning_with_the_nearest_name(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[DEFAULT]\nrabit_host=a\nrabit_host=b\n[libvirt]\nvirt_typ=kvm\n[nonsense]\na=1\nb=2\n")
    assert warnings_of(loaded) == [
        f"{tmp_path}/nova.conf:2: the option rabit_host is not known; did you mean rabbit_host?",
        f"{tmp_path}/nova.conf:5: the option virt_typ is not known; did you mean virt_type?",
        f"{tmp_path}/nova.conf:7: the section [nonsense] is not known.",
    ]


def test_an_older_spelling_is_said_once(tmp_path: Path) -> None:
    loaded = read(tmp_path, "--sql_connection=sqlite:///a\n--sql_connection=sqlite:///b\n")
    assert warnings_of(loaded) == [
        f"{tmp_path}/nova.conf:1: sql_connection is the older spelling of [database] connection."
    ]


def test_sections_for_parts_that_are_not_here_give_no_warning(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[neutron]\nurl = x\npassword = y\n[DEFAULT]\nxenapi_connection_url=z\n")
    assert warnings_of(loaded) == []


def test_a_file_with_passwords_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    for text in ("[DEFAULT]\nrabbit_password=x\n", "--sql_connection=mysql://a:b@c/d\n"):
        path.write_text(text)
        path.chmod(0o644)
        loud = warnings_of(load(["--config-file", str(path)], prog="nova-api"))
        assert any("can be read by everybody" in text for text in loud)
        path.chmod(0o640)
        quiet = warnings_of(load(["--config-file", str(path)], prog="nova-api"))
        assert not any("can be read by everybody" in text for text in quiet)


def test_a_wrong_value_of_a_secret_option_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration) as caught:
        read(tmp_path, "[database]\nmax_retries = mysql://u:hunter2@h/d\n")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.conf")), ids=lambda path: path.stem)
def test_files_of_older_clouds_load(path: Path) -> None:
    loaded = load(["--config-file", str(path)], prog="nova-api")
    assert not [text for text in warnings_of(loaded) if "is not known" in text]


def test_a_grizzly_file_means_what_it_meant() -> None:
    conf = load(["--config-file", str(DATA / "grizzly-api.conf")], prog="nova-api").conf
    assert conf.enabled_apis == ["ec2", "osapi_compute", "metadata"]
    assert conf.auth_strategy == "keystone"
    assert conf.volume_api_class == "cinder"
    assert conf.compute_driver == "libvirt"
    assert conf.oslo_messaging_rabbit.rabbit_host == "10.0.0.3"
    assert conf.glance.api_servers == ["10.0.0.5:9292"]
    assert conf.image.store == "glance"
    assert conf.root_helper == "sudo nova-rootwrap /etc/nova/rootwrap.conf"
    assert conf.oslo_concurrency.lock_path == "/var/lock/nova"


def test_a_diablo_file_means_what_it_meant() -> None:
    conf = load([f"--flagfile={DATA / 'diablo-multi.conf'}"], prog="nova-network").conf
    assert (conf.network_manager, conf.multi_host, conf.vlan_interface) == ("vlan", True, "eth0")
    assert conf.debug is True
    assert conf.vnc.enabled is True
    assert conf.ec2_host == "172.16.40.11"
    assert conf.iscsi_ip_prefix == "172.16.40.12"
    assert conf.database.connection == "mysql://nova:nova-pass@172.16.40.11/nova"


def test_a_liberty_file_means_what_it_meant() -> None:
    conf = load(["--config-file", str(DATA / "liberty.conf")], prog="nova-api").conf
    assert conf.network_api_class == "neutron"
    assert conf.firewall_driver == "noop"
    assert conf.force_config_drive is True
    assert conf.keystone_authtoken.username == "nova"
    assert conf.keystone_authtoken.www_authenticate_uri == "http://$MY_IP:5000"
    assert conf.vnc.vncserver_listen == "$MY_IP"
    assert conf.oslo_messaging_rabbit.rabbit_userid == "openstack"
