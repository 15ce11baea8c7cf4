"""The documentation site, which ``make docs`` builds: what Sphinx asks of a project."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Synovia"
author = "the authors of Synovia"
project_copyright = f"{author}; Apache License 2.0"
release = version_of("synovia")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "synovia_site"]
exclude_patterns = ["synovia_site", "_static"]
nitpicky = True

highlight_language = "none"
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_default_options = {"members": True, "member-order": "bysource", "exclude-members": "model_config"}
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = False
add_module_names = False

html_theme = "furo"
html_title = "Synovia"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0d5c63",
        "color-brand-content": "#0d5c63",
        "color-brand-visited": "#0d5c63",
        "color-api-name": "#0d5c63",
        "color-api-pre-name": "#5a6c6b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#5fc4c3",
        "color-brand-content": "#5fc4c3",
        "color-brand-visited": "#5fc4c3",
        "color-api-name": "#86d8d6",
        "color-api-pre-name": "#98a9a8",
    },
}
html_static_path = ["_static"]
html_css_files = ["synovia.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
