# SPDX-License-Identifier: Apache-2.0
"""Packaging: what is installed, what it needs at least, which programs it has."""

from setuptools import find_packages, setup

PROGRAMS = {}

setup(
    name="nova",
    version="0.1.0",
    description="A cloud controller: servers, networks and volumes on your own hosts",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["nova", "nova.*"]),
    include_package_data=True,
)
