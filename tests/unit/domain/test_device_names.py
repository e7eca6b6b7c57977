# SPDX-License-Identifier: Apache-2.0
"""Names of disks."""

from __future__ import annotations

import pytest

from nova.domain.block_device import BlockDevice
from nova.domain.device_names import choose, letter_of, taken_letters
from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

PLAIN = Flavor(flavor_id="1", name="plain", memory_mb=1, vcpus=1, root_gb=1)
RICH = Flavor(flavor_id="2", name="rich", memory_mb=1, vcpus=1, root_gb=1, ephemeral_gb=1, swap_mb=1)


@pytest.mark.parametrize(
    ("name", "letter"),
    [("/dev/vdb", "b"), ("sdc", "c"), ("/dev/xvdz", "z"), ("/dev/vdbb", ""), ("", ""), ("/dev/b", "")],
)
def test_the_letter_of_a_name(name: str, letter: str) -> None:
    assert letter_of(name) == letter


def test_disks_of_the_flavor_take_the_first_letters() -> None:
    assert taken_letters([], root="/dev/vda", flavor=PLAIN) == {"a"}
    volume = BlockDevice(source_type="volume", destination_type="volume", device_name="/dev/vde")
    assert taken_letters([volume], root="/dev/sda", flavor=RICH) == {"a", "b", "c", "e"}


def test_the_first_free_name_is_chosen() -> None:
    assert choose("", taken={"a", "b", "d"}) == "/dev/vdc"


def test_a_wish_is_met_in_its_own_words() -> None:
    assert choose("xvdf", taken={"a"}) == "/dev/xvdf"


@pytest.mark.parametrize("wish", ["/dev/vda", "vda", "/dev/vdaa", "/dev/../vdb", "vdb ", "vdß"])
def test_a_wrong_or_used_name_is_refused(wish: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(wish, taken={"a"})
    assert caught.value.data["field"] == "device"


def test_a_server_with_all_letters_takes_no_more() -> None:
    with pytest.raises(InvalidInput, match="no free device"):
        choose("", taken=set("abcdefghijklmnopqrstuvwxyz"))
