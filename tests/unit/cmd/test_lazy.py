# SPDX-License-Identifier: Apache-2.0
"""Modules that are read when they are first touched, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

_FIRST_USE = """
import sys
from nova.cmd.lazy import SELDOM_USED, load_when_used
load_when_used()
import oslo_config.cfg, oslo_policy.policy
from oslo_utils import strutils
import rfc3986
read = {name: "mask_password" in vars(sys.modules[name]) for name in ["oslo_utils.strutils"]}
assert not any(read.values()), read
assert "rfc3986.uri" not in sys.modules and "yaml.loader" not in sys.modules
assert strutils.mask_password("password = 'abc'") == "password = '***'"
assert rfc3986.uri_reference("http://host/").host == "host"
assert oslo_policy.policy.yaml.safe_load("a: 1") == {"a": 1}
import pymysql
assert "cryptography.hazmat.bindings._rust" not in sys.modules
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
assert callable(load_ssh_public_key)
assert callable(pymysql._auth.padding.OAEP)
assert pymysql._auth.hashes.SHA1().name == "sha1"
assert type(rfc3986).__name__ == "module"
"""

_LOADED_BEFORE = """
import yaml
from nova.cmd.lazy import load_when_used
load_when_used()
import sys
assert sys.modules["yaml"] is yaml and "safe_load" in vars(yaml)
"""


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_postponed_module_is_read_when_somebody_asks_for_a_name_in_it() -> None:
    run(_FIRST_USE)


def test_a_module_that_is_loaded_stays_as_it_is() -> None:
    run(_LOADED_BEFORE)
