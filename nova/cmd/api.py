# SPDX-License-Identifier: Apache-2.0
"""The program nova-api, and the programs that serve one of its endpoints each."""

from __future__ import annotations

from nova.cmd.green import make_green


def main() -> None:
    """Serve all endpoints of ``enabled_apis``."""
    _serve("nova-api", ())


def main_ec2() -> None:
    """Serve the EC2 endpoint."""
    _serve("nova-api-ec2", ("ec2",))


def main_metadata() -> None:
    """Serve the metadata endpoint."""
    _serve("nova-api-metadata", ("metadata",))


def main_os_compute() -> None:
    """Serve the compute endpoint."""
    _serve("nova-api-os-compute", ("osapi_compute",))


def main_os_volume() -> None:
    """Serve the volume endpoint."""
    _serve("nova-api-os-volume", ("osapi_volume",))


def _serve(name: str, apis: tuple[str, ...]) -> None:
    make_green()
    from nova.cmd.serving import serve_apis

    serve_apis(name, apis)
