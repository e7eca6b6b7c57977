# SPDX-License-Identifier: Apache-2.0
"""A cloud controller: servers, networks and volumes on your own hosts, asked for over HTTP."""
