# SPDX-License-Identifier: Apache-2.0
"""How each daemon is put together from its options: one module for each, ``build(parts) -> list of services``.

``parts`` holds what the daemons of one process share; ``nova-all`` builds all of them from the same parts.
"""
