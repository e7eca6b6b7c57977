# SPDX-License-Identifier: Apache-2.0
"""``python -m nova.api.support_matrix``: every operation that is served, as a page of the documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from nova.api import routes
from nova.api.identity.routes import IDENTITY
from nova.api.image.routes import IMAGE
from nova.api.microversion import HIGHEST, LOWEST
from nova.api.routing import Route

TABLES: dict[str, Sequence[Route]] = {
    "Compute (port 8774)": routes.COMPUTE,
    "Identity (port 5000)": IDENTITY,
    "Image (port 9292)": IMAGE,
}
_TITLE = """..
   Made by: python -m nova.api.support_matrix > doc/api-support.rst

===================
What the APIs serve
===================

One line for each operation: the policy rule that guards it, the status of success, and the microversions that have it
where that is not all of {lowest} to {highest}. Operations of the compute API are served under ``/v2.1``, ``/v2`` and
``/v1.1``, with and without the project in the path.
"""


def page() -> str:
    """The whole page."""
    parts = [_TITLE.format(lowest=LOWEST, highest=HIGHEST)]
    parts += [f"{title}\n{'-' * len(title)}\n\n{_table(table)}" for title, table in TABLES.items()]
    return "\n".join(parts)


def _table(rows: Iterable[Route]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", "", *_line("Operation", "Policy", "Success", "Microversions")]
    for route in sorted(rows, key=lambda route: (route.path, route.method, route.action, route.since)):
        lines += _line(f"``{route.name}``", f"``{route.policy}``", str(route.success), _versions(route))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> list[str]:
    first, *others = (f"- {cell}".rstrip() for cell in cells)
    return [f"   * {first}", *(f"     {cell}" for cell in others)]


def _versions(route: Route) -> str:
    if (route.since, route.until) == (LOWEST, HIGHEST):
        return ""
    return f"{route.since} – {route.until}"


if __name__ == "__main__":
    sys.stdout.write(page())
