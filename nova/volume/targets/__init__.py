# SPDX-License-Identifier: Apache-2.0
"""How volumes are exported over iSCSI: through tgtd, which runs in user space."""
