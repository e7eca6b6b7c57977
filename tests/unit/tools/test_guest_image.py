# SPDX-License-Identifier: Apache-2.0
"""The archive that the guest's kernel unpacks is one that cpio understands too."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from tools.guest_image import Entry, archive


def test_the_archive_holds_files_links_and_their_directories(tmp_path: Path) -> None:
    tree = {
        "init": Entry(stat.S_IFLNK | 0o777, b"/sbin/init"),
        "etc/deep/file": Entry(stat.S_IFREG | 0o640, b"content"),
    }
    subprocess.run(["cpio", "-idm", "--quiet"], input=archive(tree), cwd=tmp_path, check=True)
    assert (tmp_path / "etc/deep/file").read_bytes() == b"content"
    assert (tmp_path / "etc/deep/file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "init").readlink() == Path("/sbin/init")
