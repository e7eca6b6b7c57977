# SPDX-License-Identifier: Apache-2.0
"""Packaging: what is installed, what it needs at least, which programs it has."""

from pathlib import Path

from setuptools import find_packages, setup

PROGRAMS = {
    "nova-all": "nova.cmd.all:main",
    "nova-api": "nova.cmd.api:main",
    "nova-api-ec2": "nova.cmd.api:main_ec2",
    "nova-api-metadata": "nova.cmd.api:main_metadata",
    "nova-api-os-compute": "nova.cmd.api:main_os_compute",
    "nova-api-os-volume": "nova.cmd.api:main_os_volume",
    "nova-compute": "nova.cmd.compute:main",
    "nova-conductor": "nova.cmd.conductor:main",
    "nova-dhcpbridge": "nova.cmd.dhcpbridge:main",
    "nova-manage": "nova.cmd.manage.main:main",
    "nova-network": "nova.cmd.network:main",
    "nova-rootwrap": "nova.cmd.rootwrap:main",
    "nova-rootwrap-daemon": "nova.cmd.rootwrap:main_daemon",
    "nova-scheduler": "nova.cmd.scheduler:main",
    "nova-tgt": "nova.cmd.tgt:main",
    "nova-volume": "nova.cmd.volume:main",
}
"""Program → the function that it is."""

REQUIRES = [
    "alembic>=1.13",
    "amqp>=5.2",
    "bcrypt>=4.1",
    "cryptography>=42",
    "defusedxml>=0.7.1",
    "eventlet>=0.36",
    "greenlet>=3.0",
    "jsonschema>=4.20",
    "kombu>=5.3",
    "libvirt-python>=9.0",
    "lxml>=5.1",
    "msgspec>=0.18",
    "netaddr>=1.0",
    "orjson>=3.9",
    "oslo.config>=9.4",
    "oslo.policy>=4.3",
    "oslo.rootwrap>=7.2",
    "oslo.utils>=7.3",
    "PasteDeploy>=3.1",
    "prettytable>=3.10",
    "prometheus-client>=0.20",
    "psycogreen>=1.0.2",
    "psycopg2-binary>=2.9.9",
    "PyMySQL>=1.1",
    "requests>=2.31",
    "Routes>=2.5.1",
    "SQLAlchemy>=2.0.29",
    "tenacity>=8.2",
    "WebOb>=1.8.7",
]

CLIENTS = ["python-novaclient", "python-openstackclient"]

TEST_REQUIRES = [
    *CLIENTS,
    "awscli",
    "boto>=2.49",
    "boto3",
    "coverage",
    "hypothesis",
    "import-linter",
    "mypy",
    "pytest>=8",
    "pytest-cov",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "sphinx",
    "tox",
]

FILTERS = sorted(str(path) for path in Path("etc/nova/rootwrap.d").glob("*.filters"))

FILES = [
    "etc/nova/api-paste.ini",
    "etc/nova/nova.conf.sample",
    "etc/nova/rootwrap.conf",
]

if __name__ == "__main__":
    setup(
        name="nova",
        version="0.1.0",
        description="A cloud controller: servers, networks and volumes on your own hosts",
        long_description=(Path(__file__).parent / "README.rst").read_text(encoding="utf-8"),
        long_description_content_type="text/x-rst",
        license="Apache-2.0",
        python_requires=">=3.11",
        packages=find_packages(include=["nova", "nova.*"]),
        include_package_data=True,
        package_data={"nova": ["py.typed", "db/migrations/*.mako", "db/migrations/*.ini", "**/*.template"]},
        install_requires=REQUIRES,
        extras_require={"test": TEST_REQUIRES, "clients": CLIENTS},
        entry_points={"console_scripts": [f"{name} = {target}" for name, target in PROGRAMS.items()]},
        data_files=[
            ("etc/nova", FILES),
            ("etc/nova/rootwrap.d", FILTERS),
        ],
    )
