# SPDX-License-Identifier: Apache-2.0
"""Every daemon is put together from options: from the defaults, from files of old clouds, and from wrong words."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nova import errors
from nova.cmd.building import all as everything
from nova.cmd.building import api, compute, conductor, network, scheduler, volume
from nova.cmd.building.choices import PRESENT, require
from nova.cmd.building.parts import Parts
from nova.conf.loading import load
from nova.db import migration
from nova.db.engine import Database, DatabaseSettings
from nova.virt.filters.noop import NoFilters

CHECKOUT = Path(__file__).resolve().parents[4]
OLD_FILES = sorted((CHECKOUT / "tests" / "data" / "conf").glob("*.conf"))
ROOMS = [scheduler, conductor, network, volume, compute]
APIS = ["osapi_compute", "ec2", "metadata", "osapi_volume", "identity", "image"]
PRESENT_DRIVERS = [
    "--compute_driver=libvirt",
    "--network_manager=nova.network.manager.FlatDHCPManager",
    "--flat_network_bridge=br100",
    "--volume_driver=nova.volume.driver.ISCSIDriver",
    "--auth_driver=nova.auth.dbdriver.DbDriver",
    "--auth_strategy=deprecated",
    "--volume_api_class=nova.volume.api.API",
    "--network_api_class=nova.network.api.API",
    "--security_group_api=nova",
    "--libvirt_type=qemu",
    "--firewall_driver=nova.virt.libvirt.firewall.IptablesFirewallDriver",
]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('db')}/nova.sqlite"
    database = Database(DatabaseSettings(url=url))
    migration.sync(database)
    database.dispose()
    return url


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def made_parts(state: Path, url: str, *argv: str) -> Parts:
    ours = [
        f"--state_path={state}",
        f"--lock_path={state}/lock",
        f"--instances_path={state}/instances",
        f"--networks_path={state}/networks",
        f"--volumes_dir={state}/volumes",
        f"--image-image_store_path={state}/images",
        f"--database-connection={url}",
        f"--rootwrap_config={CHECKOUT}/etc/nova/rootwrap.conf",
        f"--api_paste_config={CHECKOUT}/etc/nova/api-paste.ini",
        "--transport_url=memory://",
        "--my_ip=127.0.0.1",
        "--identity-password_hash_rounds=10",
    ]
    return Parts(load([*argv, *ours], prog="nova-all"))


def names(services: list[Any]) -> list[str]:
    return [service.name for service in services]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def test_a_daemon_is_built_from_the_defaults(room: ModuleType, tmp_path: Path, synced: str) -> None:
    built = room.build(made_parts(tmp_path, synced, *PRESENT_DRIVERS))
    assert names(built)[0] == f"nova-{room.__name__.rpartition('.')[2]}"


def test_the_endpoints_are_built_from_the_defaults(tmp_path: Path, synced: str, listener: socket.socket) -> None:
    built = api.build(made_parts(tmp_path, synced), dict.fromkeys(APIS, listener))
    assert names(built) == [*APIS, "upkeep of nova-api"]


def test_there_is_no_upkeep_where_nothing_is_kept(tmp_path: Path, synced: str, listener: socket.socket) -> None:
    assert names(api.build(made_parts(tmp_path, synced), {"metadata": listener})) == ["metadata"]


@pytest.mark.parametrize("path", OLD_FILES, ids=lambda path: path.stem)
def test_all_daemons_are_built_from_the_file_of_an_old_cloud(
    path: Path, tmp_path: Path, synced: str, listener: socket.socket
) -> None:
    made = made_parts(tmp_path, synced, "--config-file", str(path), *PRESENT_DRIVERS)
    for room in ROOMS:
        assert room.build(made), room.__name__
    assert api.build(made, dict.fromkeys(APIS, listener))


@pytest.mark.parametrize(
    ("room", "words", "sentence"),
    [
        (
            compute,
            "--compute_driver=xenapi.XenAPIDriver",
            "compute_driver = 'xenapi' is not there; libvirt and fake are.",
        ),
        (compute, "--compute_driver=vmwareapi.VMwareESXDriver", "compute_driver = 'vmwareapi' is not there"),
        (compute, "--compute_driver=hyperv", "compute_driver = 'hyperv' is not there"),
        (compute, "--compute_driver=mine.Driver", "compute_driver = 'mine.Driver' is not there"),
        (
            compute,
            "--libvirt_type=xen",
            r"\[libvirt\] virt_type = 'xen' is not there; kvm and qemu and lxc and auto are.",
        ),
        (
            compute,
            "--firewall_driver=nova.virt.libvirt.firewall.NWFilterFirewall",
            "firewall_driver = 'nwfilter' is not there; iptables and noop are.",
        ),
        (volume, "--volume_driver=nova.volume.driver.RBDDriver", "volume_driver = 'rbd' is not there; lvm and file"),
        (volume, "--volume_driver=nova.volume.driver.SheepdogDriver", "volume_driver = 'sheepdog' is not there"),
    ],
)
def test_a_driver_that_is_not_there_is_refused_in_one_line(
    room: ModuleType, words: str, sentence: str, tmp_path: Path, synced: str
) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=sentence) as caught:
        room.build(made_parts(tmp_path, synced, *PRESENT_DRIVERS, words))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--network_api_class=nova.network.quantumv2.api.API", "network_api_class = 'neutron' is not there; nova is."),
        ("--security_group_api=neutron", "security_group_api = 'neutron' is not there"),
        ("--volume_api_class=nova.volume.cinder.API", "volume_api_class = 'cinder' is not there"),
        ("--auth_driver=nova.auth.ldapdriver.LdapDriver", "auth_driver = 'ldap' is not there; db is."),
    ],
)
def test_the_endpoints_refuse_a_neighbour_that_they_do_not_know(
    words: str, sentence: str, tmp_path: Path, synced: str, listener: socket.socket
) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=sentence):
        api.build(made_parts(tmp_path, synced, words), {"osapi_compute": listener})


def test_every_name_that_options_offer_is_either_there_or_refused(tmp_path: Path, synced: str) -> None:
    from nova.conf import compute as compute_options
    from nova.conf import libvirt as libvirt_options
    from nova.conf import volume as volume_options

    for option, offered in (
        ("compute_driver", compute_options.DRIVERS),
        ("firewall_driver", libvirt_options.FIREWALLS),
        ("volume_driver", volume_options.DRIVERS),
    ):
        for word in offered:
            conf = made_parts(tmp_path, synced, f"--{option}={word}").conf
            if word in PRESENT[option]:
                require(conf, option)
            else:
                with pytest.raises(errors.InvalidConfiguration):
                    require(conf, option)


def test_another_scheduler_is_replaced_and_the_log_says_so(
    tmp_path: Path, synced: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        scheduler.build(made_parts(tmp_path, synced, "--scheduler_driver=nova.scheduler.simple.SimpleScheduler"))
    assert "driver = 'simple': hosts are chosen by filters and weights." in caplog.text


def test_a_paste_file_without_an_endpoint_is_named(tmp_path: Path, synced: str, listener: socket.socket) -> None:
    paste = tmp_path / "mine.ini"
    paste.write_text("[DEFAULT]\n")
    made = made_parts(tmp_path, synced)
    made.conf.set_override("api_paste_config", str(paste))
    with pytest.raises(errors.InvalidConfiguration, match=r"mine.ini cannot make osapi_compute: No section"):
        api.build(made, {"osapi_compute": listener})


def test_an_empty_database_is_refused_with_what_to_run(tmp_path: Path) -> None:
    made = made_parts(tmp_path, f"sqlite:///{tmp_path}/empty.sqlite")
    with pytest.raises(errors.InvalidConfiguration, match=r"has no tables: run 'nova-manage db sync'\."):
        scheduler.build(made)


def test_nova_compute_is_given_no_database(tmp_path: Path) -> None:
    made = made_parts(tmp_path, "mysql://nobody@192.0.2.1/nova", *PRESENT_DRIVERS)
    assert names(compute.build(made)) == ["nova-compute", "orders of nova-compute"]
    assert "db" not in vars(made)


def test_the_build_time_of_the_options_bounds_the_host_and_a_little_later_the_conductor(
    tmp_path: Path, synced: str
) -> None:
    bounded = made_parts(tmp_path, synced, "--instance_build_timeout=100", "--conductor-recovery_grace_s=20")
    assert compute._settings(bounded).build_timeout_s == 100
    assert conductor._build_timeout_s(bounded.conf) == 120
    default = made_parts(tmp_path, synced)
    assert 0 < compute._settings(default).build_timeout_s < conductor._build_timeout_s(default.conf)


def test_messages_and_quotas_are_bounded_as_the_options_say(
    tmp_path: Path, synced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    class Recording(network.NetworkHost):
        def __init__(self, **values: Any) -> None:
            given.update(values)
            super().__init__(**values)

    monkeypatch.setattr(network, "NetworkHost", Recording)
    made = made_parts(tmp_path, synced, *PRESENT_DRIVERS, "--quota_fixed_ips=7", "--rpc_max_message_bytes=65536")
    (daemon,) = network.build(made)
    assert given["settings"].quota_defaults["fixed_ips"] == 7
    assert daemon._servers[0]._max_message_bytes == 65536  # type: ignore[attr-defined]


def test_the_fake_driver_needs_no_firewall(tmp_path: Path, synced: str) -> None:
    made = made_parts(tmp_path, synced, "--compute_driver=fake.FakeDriver")
    assert isinstance(compute.make_filters(made), NoFilters)
    assert type(compute._driver(made)).__name__ == "FakeDriver"


def test_all_daemons_of_one_process_share_what_they_are_built_from(tmp_path: Path, synced: str) -> None:
    made = made_parts(
        tmp_path, synced, *PRESENT_DRIVERS, "--compute_driver=fake", "--osapi_compute_listen=127.0.0.1",
        "--osapi_compute_listen_port=0", "--enabled_apis=osapi_compute",
    )  # fmt: skip
    built = everything.build(made)
    try:
        daemons = ["nova-scheduler", "nova-conductor", "nova-network", "nova-volume", "nova-compute"]
        assert names(built) == [*daemons, "orders of nova-compute", "osapi_compute"]
    finally:
        built[-1]._listener.close()  # type: ignore[attr-defined]
