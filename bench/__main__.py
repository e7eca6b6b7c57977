# SPDX-License-Identifier: Apache-2.0
"""The one command:  python -m bench [PART …] [--write-doc]"""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import sys
import traceback
import warnings
from pathlib import Path

import nova
from bench import machine
from bench.table import Row, as_rst, as_text

PARTS = {
    "network": "create a network of 2^20 addresses",
    "schedule": "choose one of 10,000 hosts",
    "listing": "list 1,000 servers, show one",
    "rpc": "calls through RabbitMQ",
    "daemons": "start-up, memory, boots a minute, statements and messages of separate daemons with the fake driver",
    "boot": "a real guest, against bare libvirt",
    "operations": "what is done to a real guest, against bare libvirt; statements and messages of each",
    "crowd": "100 servers at once on fake hosts, four real guests at once on one host",
}
TABLE = Path(__file__).parents[1] / "doc" / "benchmarks-table.inc"


def main() -> int:
    """Measure the parts one after another; 1 when something that was wanted is not met."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure, and print one table.",
        epilog="Parts: " + "; ".join(f"{name} ({what})" for name, what in PARTS.items()),
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="measure these only")
    parser.add_argument("--write-doc", action="store_true", help=f"write {TABLE.name} too, with the machine")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")
    have_byte_code()
    where = machine.description()
    rows, failed = measured(arguments.parts or list(PARTS))
    print(f"\n{where}\n\n{as_text(rows)}")
    if arguments.write_doc:
        TABLE.write_text(f"{where}\n\n{as_rst(rows)}")
    for part in failed:
        print(f"\n{part} could not be measured.")
    return 1 if failed or any(row.met is False for row in rows) else 0


def have_byte_code() -> None:
    """Let programs start as installed ones do: compiling at each start costs them a second, and megabytes."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(str(Path(nova.__file__).parent), quiet=1)


def measured(parts: list[str]) -> tuple[list[Row], list[str]]:
    """The rows of all parts, and the parts that failed; each part cleans up behind itself."""
    rows: list[Row] = []
    failed: list[str] = []
    for part in parts:
        print(f"{part}: {PARTS[part]} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"bench.{part}").rows()
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are measured
            traceback.print_exc()
            failed.append(part)
    return rows, failed


if __name__ == "__main__":
    sys.exit(main())
