# SPDX-License-Identifier: Apache-2.0
"""nova-manage: the operator's command.  One module for each category, in ``CATEGORIES``; ``frame`` reads the words."""
