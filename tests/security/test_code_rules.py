# SPDX-License-Identifier: Apache-2.0
"""Rules that keep whole classes of holes out, checked on the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = {"nova/system/commands.py"}
SECRET_WORDS = re.compile(r"(digest|hmac|signature|token|password|secret|checksum)$", re.IGNORECASE)
PICKLES = {"pickle", "cPickle", "marshal", "shelve", "dill", "jsonpickle", "cloudpickle"}


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the product by its path."""
    paths = [*(ROOT / "nova").rglob("*.py"), *(ROOT / "bin").iterdir()]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(paths)}


def places(finds: Callable[[ast.AST], bool]) -> set[str]:
    """Where in the source *finds* says yes: ``path:line``."""
    return {
        f"{path}:{getattr(node, 'lineno', 0)}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if finds(node)
    }


def files(found: set[str]) -> set[str]:
    """The files of places."""
    return {place.partition(":")[0] for place in found}


def name_of(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute; of a call, that of what is called."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module.partition(".")[0]


def test_there_is_source_to_look_at() -> None:
    assert len(sources()) > 200
    assert places(lambda node: isinstance(node, ast.Compare))


def test_no_check_is_an_assert() -> None:
    """OSSN-0048: ``python -O`` leaves it out"""
    assert places(lambda node: isinstance(node, ast.Assert)) == set()


def test_no_shell_is_ever_started() -> None:
    """CVE-2026-42510, CVE-2014-0162"""

    def starts_shell(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        asks = any(key.arg == "shell" and not is_false(key.value) for key in node.keywords)
        return asks or name_of(node) in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}

    def is_false(node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and node.value is False

    def is_shell_line(node: ast.AST) -> bool:
        words = (
            [getattr(each, "value", None) for each in node.elts[:2]] if isinstance(node, (ast.List, ast.Tuple)) else []
        )
        return words[1:] == ["-c"] and words[0] in ("sh", "bash", "/bin/sh", "/bin/bash")

    assert places(starts_shell) == set()
    assert places(is_shell_line) == set()


def test_one_module_starts_programs() -> None:
    """CVE-2026-42510: there every command is a list of words"""
    assert files(places(lambda node: "subprocess" in imported(node))) == COMMANDS


def test_one_module_calls_qemu_img() -> None:
    """CVE-2026-24708: there the format of every file is an obligatory argument"""

    def calls(node: ast.AST) -> bool:
        first = node.elts[0] if isinstance(node, (ast.List, ast.Tuple)) and node.elts else None
        return isinstance(first, ast.Constant) and first.value in ("qemu-img", "qemu-io", "qemu-nbd")

    assert files(places(calls)) == {"nova/virt/images/qemu_img.py"}


def test_nobody_mounts_what_a_guest_wrote() -> None:
    """CVE-2012-3361, CVE-2012-3447, LP 1552042, OSSN-0100: no mount, no loop device, no chroot"""
    words = {"mount", "umount", "losetup", "chroot", "kpartx", "guestmount", "nbd-client", "modprobe"}

    def runs(node: ast.AST) -> bool:
        first = node.elts[0] if isinstance(node, (ast.List, ast.Tuple)) and node.elts else None
        return isinstance(first, ast.Constant) and first.value in words

    assert places(runs) == set()
    assert places(lambda node: name_of(node) in ("os.chroot", "os.mount")) == set()


def test_one_function_compares_secrets() -> None:
    """CVE-2014-0006, CVE-2014-3517: in constant time"""

    def compares(node: ast.AST) -> bool:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            return False
        sides = [node.left, node.comparators[0]]
        named = any(SECRET_WORDS.search(name_of(side)) for side in sides)
        return named and not any(
            isinstance(side, ast.Constant) or name_of(side).split(".")[-1].isupper() for side in sides
        )

    assert places(compares) == set()
    assert files(places(lambda node: name_of(node).endswith("compare_digest"))) == {"nova/secret.py"}


def test_nothing_that_came_from_outside_is_executed() -> None:
    """CVE-2026-44916, and who can write to the broker or to a cache runs no code"""
    assert places(lambda node: bool(PICKLES & set(imported(node)))) == set()
    assert places(lambda node: isinstance(node, ast.Call) and name_of(node) in ("eval", "exec", "compile")) == set()
    loaders = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"}
    assert places(lambda node: isinstance(node, ast.Call) and name_of(node) in loaders) == set()
    assert places(lambda node: bool({"jinja2", "mako", "Cheetah"} & set(imported(node)))) == set()


def test_no_name_in_a_shared_directory_can_be_guessed() -> None:
    """CVE-2013-0261, CVE-2013-2030, OSSN-0038"""

    def guesses(node: ast.AST) -> bool:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        return text.startswith(("/tmp/", "/var/tmp/")) or name_of(node).endswith("mktemp")

    assert places(guesses) == set()


def test_no_certificate_goes_unchecked_and_only_neighbours_are_called() -> None:
    """CVE-2013-4111, CVE-2013-2255, OSSN-0033, OSSN-0105: no fetching of addresses that a user gave"""

    def unchecked(node: ast.AST) -> bool:
        keys = node.keywords if isinstance(node, ast.Call) else []
        return any(key.arg == "verify" and getattr(key.value, "value", None) is False for key in keys)

    assert places(unchecked) == set()
    unverified = files(places(lambda node: name_of(node) in ("ssl._create_unverified_context", "ssl.CERT_NONE")))
    # MariaDB's connections are encrypted where nobody asked for TLS; what a URL asks for, the driver verifies.
    assert unverified <= {"nova/db/mariadb.py"}
    clients = {"requests", "urllib3", "httplib2", "httpx", "aiohttp"}
    users = files(places(lambda node: bool(clients & set(imported(node)))))
    assert all(path.startswith("nova/neighbours/") for path in users), users


def test_no_cache_grows_with_what_clients_send() -> None:
    """CVE-2021-40797"""

    def unbounded(node: ast.AST) -> bool:
        if isinstance(node, ast.Call) and name_of(node).endswith("lru_cache"):
            return any(key.arg == "maxsize" and getattr(key.value, "value", 0) is None for key in node.keywords)
        return name_of(node) in ("functools.cache", "cache") and not isinstance(node, ast.Call)

    here = {place for place in places(unbounded) if place.startswith("nova/api/")}
    assert here == set()
