# SPDX-License-Identifier: Apache-2.0
"""``./quickstart``: a whole cloud on this machine, in a network of its own, and its removal.

``progress`` tells what happens, ``layout`` says where everything is kept, ``processes`` and ``namespace`` start and
stop what the cloud runs on, ``client`` speaks its public HTTP API, ``up`` and ``down`` are the two directions.
"""
