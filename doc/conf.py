# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the documentation: ``tox -e docs``."""

project = "Nova"
copyright = "the Nova contributors"
extensions: list[str] = []
exclude_patterns = ["build"]
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {"description": "A cloud controller", "page_width": "1100px"}
