# SPDX-License-Identifier: Apache-2.0
"""The lease program with words from hostile guests, and with a database that is away."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from nova.cmd.dhcpbridge import Settings, main, write_own_file
from nova.db import address_claims, addresses, networks
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.network import Nic
from nova.domain.network_plan import CreateNetwork, plan


class Site:
    """A database with one card, and the environment that dnsmasq hands on."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}/nova.sqlite"
        self.database = Database(DatabaseSettings(url=self.url))
        with self.database.transaction() as tx:
            Base.metadata.create_all(tx.connection)
            made = plan(CreateNetwork(label="n", cidr="10.0.0.0/24"), []).networks
            self.network = networks.create(tx, made)[0]
            card = {"instance_uuid": str(uuid.uuid4()), "hostname": "web", "host": "c1", "position": 0}
            self.nic: Nic = address_claims.add_card(tx, self.network, **card)  # type: ignore[arg-type]
        own = write_own_file(path, Settings(self.url, 3600))
        self.environ = {"CONFIG_FILE": str(own), "NETWORK_ID": str(self.network.id)}

    def leased(self) -> bool:
        with self.database.transaction(write=False) as tx:
            return addresses.get(tx, "10.0.0.2").leased


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_lease_is_recorded_listed_and_ended(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    mac = site.nic.mac_address
    assert main(["add", mac, "10.0.0.2", "web"], site.environ) == 0
    assert site.leased()
    assert main(["init"], site.environ) == 0
    epoch, *rest = capsys.readouterr().out.split()
    assert rest == [mac, "10.0.0.2", "web", "*"]
    assert epoch.isdigit()
    assert main(["del", mac.upper(), "10.0.0.2"], site.environ) == 0
    assert not site.leased()


def test_a_lease_that_is_reported_again_costs_no_database(site: Site) -> None:
    assert main(["old", site.nic.mac_address, "10.0.0.2"], {}) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["add", "02:00:00:00:00:01", "10.0.0.2", "() { :;}; touch x"],
        ["add", "06-02:00:00:00:00:01", "10.0.0.2"],
        ["add", "' OR 1=1 --", "10.0.0.2"],
        ["del", "02:00:00:00:00:01", "10.0.0.2; DROP TABLE fixed_ips"],
        ["add", "02:00:00:00:00:01", "10.0.0.2\n", "\udcff" * 255],
        ["add", "0" * 100000, "10.0.0.2"],
    ],
)
def test_words_of_a_hostile_guest_change_nothing(site: Site, words: list[str]) -> None:
    assert main(words, site.environ) == 0
    assert not site.leased()


def test_without_a_network_the_list_is_refused(site: Site) -> None:
    assert main(["init"], {**site.environ, "NETWORK_ID": ""}) == 1
    assert main(["init"], {**site.environ, "NETWORK_ID": "1; --"}) == 1
    assert main([], site.environ) == 1


def test_a_database_that_is_away_lets_dnsmasq_start_with_no_lease(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_own_file(tmp_path, Settings("sqlite:////nonexistent/nova.sqlite", 60))
    assert main(["init"], site.environ) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "starting without leases" in said.err


def test_the_file_with_the_databases_password_is_the_daemons_alone(site: Site) -> None:
    assert Path(site.environ["CONFIG_FILE"]).stat().st_mode & 0o777 == 0o600


def test_without_its_own_file_the_whole_configuration_is_read(site: Site, tmp_path: Path) -> None:
    config = tmp_path / "nova.conf"
    config.write_text(f"[database]\nconnection = {site.url}\n")
    environ = {"CONFIG_FILE": f'["{config}"]'}
    assert main(["add", site.nic.mac_address, "10.0.0.2"], environ) == 0
    assert site.leased()


def test_it_imports_no_large_library() -> None:
    slow = ("sqlalchemy", "oslo_config", "eventlet")
    code = f"import sys, nova.cmd.dhcpbridge; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
