# SPDX-License-Identifier: Apache-2.0
"""The volume API: ``/v1``, ``/v2`` and ``/v3`` of port 8776, over the same operations as the compute API's proxies."""
