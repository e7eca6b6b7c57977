# SPDX-License-Identifier: Apache-2.0
"""What must hold for the project as a whole: programs, requirements, arrows between rooms, files."""

import ast
import re
import runpy
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = runpy.run_path(str(ROOT / "setup.py"), run_name="not main")
SOURCES = sorted((ROOT / "nova").rglob("*.py"))
OWN = {"nova", "tests", "bench", "tools"}


def imports(path: Path) -> Iterator[str]:
    """The names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_there_is_source_to_look_at() -> None:
    assert len(SOURCES) > 50


def test_every_program_has_a_starter_of_its_name() -> None:
    assert {path.name for path in (ROOT / "bin").iterdir()} == set(SETUP["PROGRAMS"])


@pytest.mark.parametrize("name", SETUP["PROGRAMS"])
def test_a_starter_calls_the_function_that_setup_installs(name: str) -> None:
    module, _, function = SETUP["PROGRAMS"][name].partition(":")
    path = ROOT / "bin" / name
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n")
    assert f"from {module} import {function}" in text
    assert path.stat().st_mode & stat.S_IXUSR


def test_every_library_that_is_imported_is_required() -> None:
    providers = packages_distributions()
    required = {plain(re.split(r"[<>=!]", line)[0]) for line in SETUP["REQUIRES"]}
    missing = set()
    for path in SOURCES:
        for name in {module.partition(".")[0] for module in imports(path)} - OWN - set(sys.stdlib_module_names):
            names = {plain(one) for one in providers.get(name, [name])}
            if not names & required:
                missing.add(f"{name} ({path.relative_to(ROOT)})")
    assert not missing


def test_every_requirement_has_an_exact_version_for_the_tests() -> None:
    pinned = {plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    for line in [*SETUP["REQUIRES"], *SETUP["TEST_REQUIRES"]]:
        assert plain(re.split(r"[<>=!]", line)[0]) in pinned, line


def test_only_one_module_imports_an_xml_library() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if {module.partition(".")[0] for module in imports(path)} & {"xml", "lxml", "defusedxml"}
    }
    assert users == {"nova/system/xml.py"}


def test_the_engine_is_known_only_to_the_programs_and_the_messages() -> None:
    users = {
        path.relative_to(ROOT / "nova").parts[0]
        for path in SOURCES
        if {module.partition(".")[0] for module in imports(path)} & {"eventlet", "greenlet"}
    }
    assert users <= {"cmd", "rpc"}


def test_every_source_file_begins_with_its_licence_and_says_what_it_is() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n"), path
        if path.name != "__init__.py":
            assert ast.get_docstring(ast.parse(text)), path


@pytest.mark.parametrize("target", sorted(set(SETUP["PROGRAMS"].values())))
def test_the_module_of_each_program_defines_its_function(target: str) -> None:
    module, _, function = target.partition(":")
    path = ROOT / (module.replace(".", "/") + ".py")
    assert path.is_file(), f"{module} is missing"
    names = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert function in names, f"{module} has no {function}"
