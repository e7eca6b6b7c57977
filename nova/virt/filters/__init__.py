# SPDX-License-Identifier: Apache-2.0
"""Packet filters on the guests' cards: what may come in (security groups), and whose name is on what goes out."""
