# SPDX-License-Identifier: Apache-2.0
"""The sample file is generated, up to date, and itself a configuration."""

import re
from pathlib import Path

import nova.conf
from nova.conf import sample
from nova.conf.loading import load

SAMPLE = Path(__file__).parents[3] / "etc" / "nova" / "nova.conf.sample"


def test_the_committed_sample_is_the_generated_one() -> None:
    assert SAMPLE.read_text() == sample.text(), "run: tox -e genconfig"


def test_the_sample_loads_as_it_is() -> None:
    loaded = load(["--config-file", str(SAMPLE)], prog="nova-api")
    assert loaded.notices == ()


def test_every_default_of_the_sample_is_a_valid_value(tmp_path: Path) -> None:
    lines = [
        re.sub(r"^#(?=\w+ =)", "", line)
        for line in sample.text().splitlines()
        if not re.fullmatch(r"#\w+ =( <.*>)?", line)
    ]
    (tmp_path / "nova.conf").write_text("\n".join(lines))
    (tmp_path / "nova.conf").chmod(0o600)
    assert load(["--config-file", str(tmp_path / "nova.conf")], prog="nova-api").notices == ()


def test_every_option_says_what_it_does() -> None:
    for group, options in nova.conf.list_opts():
        for option in options:
            assert option.help, f"[{group}] {option.name}"
            assert option.help.endswith("."), f"[{group}] {option.name}"
