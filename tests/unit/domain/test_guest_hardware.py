# SPDX-License-Identifier: Apache-2.0
"""Devices of a guest, chosen by its image and its flavor."""

from __future__ import annotations

import pytest

from nova.domain.cpu_topology import CpuTopology
from nova.domain.flavor import Flavor
from nova.domain.guest_hardware import CHOICES, GuestHardware, choose
from nova.errors import InvalidInput


def flavor(vcpus: int = 1, **specs: str) -> Flavor:
    named = {key.replace("__", ":"): value for key, value in specs.items()}
    return Flavor(flavor_id="1", name="f", memory_mb=1, vcpus=vcpus, root_gb=1, extra_specs=named)


def test_without_a_word_of_image_or_flavor_a_guest_has_the_usual_devices() -> None:
    assert choose(flavor(), {"architecture": "x86_64"}) == GuestHardware()


@pytest.mark.parametrize("name", CHOICES)
def test_an_image_cannot_name_what_does_not_exist(name: str) -> None:
    with pytest.raises(InvalidInput, match=name) as caught:
        choose(flavor(), {name: "flux"})
    assert caught.value.data["field"] == "imageRef"


@pytest.mark.parametrize(
    "properties",
    [
        {"hw_machine_type": "pc'/>"},
        {"hw_qemu_guest_agent": "perhaps"},
        {"os_command_line": "quiet\ninit=/bin/sh"},
        {"os_command_line": "x" * 2000},
        {"hw_video_ram": "64"},
        {"hw_cpu_cores": "0"},
        {"hw_cpu_cores": "x"},
    ],
)
def test_wrong_properties_are_refused(properties: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        choose(flavor(), properties)


@pytest.mark.parametrize(
    "specs",
    [
        {"quota__disk_read_bytes_sec": "-1"},
        {"quota__cpu_shares": "many"},
        {"hw_rng__allowed": "x"},
        {"hw__watchdog_action": "bark"},
        {"hw__cpu_sockets": "3"},
        {"quota__disk_total_iops_sec": "1", "quota__disk_read_iops_sec": "1"},
    ],
)
def test_wrong_extra_specs_are_refused(specs: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(flavor(vcpus=4, **specs), {})
    assert caught.value.data["field"] == "flavorRef"


def test_the_flavor_wins_over_the_image() -> None:
    found = choose(flavor(hw__watchdog_action="reset"), {"hw_watchdog_action": "pause"})
    assert found.watchdog == "reset"
    assert choose(flavor(vcpus=4, hw__cpu_sockets="1"), {"hw_cpu_sockets": "4"}).topology == CpuTopology(
        sockets=1, cores=4, threads=1
    )


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ({"hw__cpu_sockets": "2"}, (2, 4, 1)),
        ({"hw__cpu_threads": "2"}, (4, 1, 2)),
        ({"hw__cpu_cores": "2", "hw__cpu_threads": "2"}, (2, 2, 2)),
        ({"hw__cpu_sockets": "2", "hw__cpu_cores": "4", "hw__cpu_threads": "1"}, (2, 4, 1)),
    ],
)
def test_a_topology_that_is_named_in_part_is_filled_up(specs: dict[str, str], expected: tuple[int, int, int]) -> None:
    sockets, cores, threads = expected
    assert choose(flavor(vcpus=8, **specs), {}).topology == CpuTopology(sockets=sockets, cores=cores, threads=threads)


def test_limits_are_numbers_by_their_short_names() -> None:
    found = choose(
        flavor(quota__disk_read_bytes_sec="1024", quota__cpu_quota="5000", quota__vif_inbound_average="100"), {}
    )
    assert (found.disk_limits, found.cpu_limits, found.nic_limits) == (
        {"read_bytes_sec": 1024},
        {"quota": 5000},
        {"inbound_average": 100},
    )
