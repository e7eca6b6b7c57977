# SPDX-License-Identifier: Apache-2.0
"""What a server is told about itself, as trees of files: by the metadata service, and on a configuration drive.

Both are made from the same facts by the same functions, so that they cannot differ but where they must: passwords are
on the drive only.
"""
