# SPDX-License-Identifier: Apache-2.0
"""The built-in image endpoint (port 9292): the calls of the image API v2 that official clients make."""
