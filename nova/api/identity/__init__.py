# SPDX-License-Identifier: Apache-2.0
"""The built-in identity endpoint (port 5000): the calls of the identity API v3 and v2.0 that official clients make."""
