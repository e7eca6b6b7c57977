# SPDX-License-Identifier: Apache-2.0
"""The libvirt driver: KVM and QEMU guests.  ``driver.LibvirtDriver`` is its only public name."""
