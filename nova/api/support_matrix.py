# SPDX-License-Identifier: Apache-2.0
"""``python -m nova.api.support_matrix``: every operation that is served, as a page of the documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from nova.api import routes
from nova.api.ec2.action import Ec2Action
from nova.api.ec2.actions import ACTIONS
from nova.api.identity.routes import IDENTITY
from nova.api.image.routes import IMAGE
from nova.api.microversion import HIGHEST, LOWEST
from nova.api.routing import Route
from nova.api.volume.routes import TABLES as VOLUME
from nova.domain.guest_metadata import ec2_tree, openstack_tree

TABLES: dict[str, Sequence[Route]] = {
    "Compute (port 8774)": routes.COMPUTE,
    "Volume (port 8776)": VOLUME["v3"],
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
``/v1.1``, with and without the project in the path; those of the volume API under ``/v3``, and under ``/v2`` and
``/v1`` with the words of those versions.
"""
_EC2 = """\
EC2 (port 8773)
---------------

One line for each action of the query protocol, at ``/services/Cloud`` and at ``/``, signed with version 2 or 4.

"""
_METADATA = """\
Metadata (port 8775, for guests at 169.254.169.254)
---------------------------------------------------

No policy: a guest is known by its address, and is told about itself.

.. list-table::
   :header-rows: 1

"""


def page() -> str:
    """The whole page."""
    parts = [_TITLE.format(lowest=LOWEST, highest=HIGHEST)]
    parts += [f"{title}\n{'-' * len(title)}\n\n{_table(table)}" for title, table in TABLES.items()]
    parts += [_EC2 + _actions(ACTIONS), _METADATA + _metadata()]
    return "\n".join(parts)


def _actions(rows: Iterable[Ec2Action]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", "", *_line("Action", "Policy", "Parameters")]
    for action in sorted(rows, key=lambda action: action.name):
        parameters = ", ".join(parameter.name for parameter in action.parameters)
        lines += _line(f"``{action.name}``", f"``{action.policy}``", parameters)
    return "\n".join(lines) + "\n"


def _metadata() -> str:
    lines = _line("Path", "Since")
    lines += _line("``/{version}/meta-data/…``, ``/{version}/user-data``", f"{ec2_tree.VERSIONS[0]}, and ``latest``")
    files = {name: since for name, (since, _) in openstack_tree.FILES.items()}
    files[openstack_tree.PASSWORD] = openstack_tree.PASSWORD_SINCE
    for name, since in sorted(files.items()):
        lines += _line(f"``/openstack/{{version}}/{name}``", f"{since}, and ``latest``")
    return "\n".join(lines) + "\n"


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
