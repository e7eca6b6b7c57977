# SPDX-License-Identifier: Apache-2.0
"""Image files: what is in them, the tool that converts them, and the cache of a compute host."""
