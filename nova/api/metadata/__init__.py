# SPDX-License-Identifier: Apache-2.0
"""The metadata service: what a server is told about itself, and nobody else.  Runs in nova-api, on port 8775.

It never learns who asks from anything that a guest can write: only from the address that its packets come from, which
the packet filter of its host holds it to.
"""
