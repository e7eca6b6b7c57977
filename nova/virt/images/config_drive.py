# SPDX-License-Identifier: Apache-2.0
"""Makes the image of a configuration drive, ISO 9660 or VFAT, from a set of files.

Runs in nova-compute, without root and without mounting anything.  What a crash leaves is a directory below ``parent``
whose name begins with ``cd_gen_``; it is private, and goes with the instance's own directory.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nova import errors
from nova.domain.guest_metadata.config_drive import LABEL
from nova.virt.images.qemu_img import Runner

PREFIX = "cd_gen_"
VFAT_BYTES = 64 * 1024**2
PUBLISHER = "OpenStack Compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDriveSettings:
    """Values of the options."""

    format: str = "iso9660"
    """or vfat"""
    iso_program: str = "genisoimage"
    temporary_directory: Path | None = None
    """None: beside the drive"""


def make(
    target: Path, files: Mapping[str, bytes], settings: ConfigDriveSettings, *, runner: Runner, parent: Path
) -> None:
    """Write the drive to *target*, which appears only when it is whole.

    :param files: content by relative path; the paths are ours, never a user's
    :param parent: where the tree is put together; older remains in it are removed
    :raises errors.HypervisorError: the tool failed
    """
    for left in parent.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=settings.temporary_directory or parent))
    try:
        tree = _write_tree(work / "tree", files)
        part = work / "drive"
        if settings.format == "vfat":
            _make_vfat(part, tree, runner)
        else:
            _make_iso(part, tree, settings.iso_program, runner)
        part.chmod(0o640)
        shutil.move(part, target)
    except OSError as exc:
        raise errors.HypervisorError("The configuration drive could not be made.", detail=str(exc)) from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def _make_iso(part: Path, tree: Path, program: str, runner: Runner) -> None:
    form = ("-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-J", "-r")
    names = ("-publisher", PUBLISHER, "-V", LABEL)
    _run(runner, [program, "-quiet", "-o", str(part), *form, *names, str(tree)])


def _make_vfat(part: Path, tree: Path, runner: Runner) -> None:
    with part.open("wb") as stream:
        stream.truncate(VFAT_BYTES)
    _run(runner, ["mformat", "-i", str(part), "-v", LABEL, "-T", str(VFAT_BYTES // 512), "-h", "64", "-s", "32", "::"])
    tops = sorted(str(path) for path in tree.iterdir())
    _run(runner, ["mcopy", "-i", str(part), "-s", "-Q", *tops, "::"])


def _run(runner: Runner, argv: list[str]) -> None:
    done = runner.run(argv, timeout_s=120.0, ok_codes=range(-64, 256))
    if done.code:
        raise errors.HypervisorError(
            "The configuration drive could not be made.",
            detail=f"{argv[0]} ended with {done.code}: {done.stderr.decode(errors='replace')[-800:].strip()}",
        )
