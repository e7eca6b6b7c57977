# SPDX-License-Identifier: Apache-2.0
"""libvirt's domain XML, one module per element.  Each has a frozen class whose ``build`` makes the element.

Values are escaped by the library that writes the text; nothing here puts strings together.  Element names and their
meaning: https://libvirt.org/formatdomain.html
"""
