# SPDX-License-Identifier: Apache-2.0
"""The EC2 dialect, on port 8773: signed requests in, XML out, and between them the operations of nova.api.actions.

Nothing here decides who may do what, counts against a quota, or knows what a server may be asked in which state.
"""
