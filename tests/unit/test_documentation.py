# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells people to type and to write is there: commands, options, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova import conf as options
from nova.cmd.manage.frame import find, read
from nova.cmd.manage.main import CATEGORIES, _category
from nova.conf.loading import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "doc" / name for name in ("install.rst", "operate.rst")]
COMMAND = re.compile(r"^    nova-manage (.+?)(?:\s{2,}#.*)?$", re.MULTILINE)
CONFIGURATION = re.compile(r"code-block:: ini\n\n((?:    .*\n|\n)+)")
NAMES = {option.dest for _, declared in options.list_opts() for option in declared}

PROGRAMS = {"pg_dump"}
"""Words of the same form that are no options"""


def text() -> str:
    return "\n".join(page.read_text() for page in PAGES)


@pytest.mark.parametrize("line", sorted(set(COMMAND.findall(text()))))
def test_every_command_of_nova_manage_is_understood(line: str) -> None:
    words = [word.strip("[]") for word in line.split()]
    assert words[0] in CATEGORIES
    action = find(words[1], _category(words[0]).actions, what="actions")
    read(action, ["7" if word == "NUMBER" else word for word in words[2:]])


@pytest.mark.parametrize("block", CONFIGURATION.findall(text()))
def test_every_configuration_is_accepted_and_that_of_a_compute_host_names_no_database(
    block: str, tmp_path: Path
) -> None:
    path = tmp_path / "nova.conf"
    path.write_text("\n".join(line[4:] for line in block.splitlines()))
    path.chmod(0o600)
    loaded = load(["--config-file", str(path)], prog="nova-manage")
    assert [notice.text for notice in loaded.notices] == []
    assert ("compute_driver" in block) != ("[database]" in block)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"``(?:\[\w+\] )?([a-z]+(?:_[a-z]+)+)(?: = [^`]+)?``", text()))))
def test_every_option_that_is_named_is_declared(name: str) -> None:
    assert name in NAMES | PROGRAMS


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?<![/\w])((?:etc/nova|tools)/[\w./@-]+\w)", text()))))
def test_every_file_that_is_named_is_there(name: str) -> None:
    assert (ROOT / name).exists()
