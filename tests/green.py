# SPDX-License-Identifier: Apache-2.0
"""Runs tests in a process of green threads, as the daemons are:  python -m tests.green [pytest arguments]"""

from nova.cmd.green import make_green

make_green()

import sys  # noqa: E402

import pytest  # noqa: E402

if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
