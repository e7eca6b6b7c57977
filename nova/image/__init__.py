# SPDX-License-Identifier: Apache-2.0
"""Images: a store of our own or a Glance, behind one interface.  Runs in nova-api, its readers in nova-compute too."""

from nova.image.protocol import ImageFilters, ImageMember, ImageService, ImageUpdate, NewImage, Page

__all__ = ["ImageFilters", "ImageMember", "ImageService", "ImageUpdate", "NewImage", "Page"]
