# SPDX-License-Identifier: Apache-2.0
"""The answer about KVM is kept for one boot of the machine."""

from __future__ import annotations

from pathlib import Path

from tools import kvm_probe


def test_a_kept_answer_of_this_boot_is_believed(tmp_path: Path) -> None:
    cache = tmp_path / "answer"
    cache.write_text(f"{kvm_probe.BOOT_ID.read_text().strip()} kvm\n")
    assert kvm_probe.probe(tmp_path / "absent", cache=cache) == "kvm"


def test_an_answer_of_another_boot_or_a_damaged_one_is_asked_for_again(tmp_path: Path) -> None:
    cache = tmp_path / "kept" / "answer"
    for text in (None, "another-boot kvm\n", "x", f"{kvm_probe.BOOT_ID.read_text().strip()} maybe\n"):
        if text is not None:
            cache.write_text(text)
        assert kvm_probe.probe(tmp_path / "absent", cache=cache) == "qemu"
        assert cache.read_text() == f"{kvm_probe.BOOT_ID.read_text().strip()} qemu\n"
