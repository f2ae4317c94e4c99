"""How the pages are built: `make docs`. Every warning is an error; nothing is fetched."""

import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from audience_nb import __version__

# A package of the theme switches all logs on; what Alembic sets up is no news.
logging.getLogger("alembic").setLevel(logging.WARNING)

project = "audience_nb"
author = copyright = "the authors of audience_nb"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
# Types in docstrings are prose: "shape (n_texts, n_dimensions)" names no attribute in particular.
suppress_warnings = ["ref.python"]
# Single backquotes in docstrings are code.
default_role = "code"

# Attributes that a fit sets end in an underscore, which would else be taken for a link.
strip_signature_backslash = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "audience_nb"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False


def skipped(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn and anywidget add to our classes: it is documented there."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return True if module.split(".")[0] in {"sklearn", "anywidget", "traitlets"} else None


def setup(app: Any) -> None:
    """Connect the above."""
    app.connect("autodoc-skip-member", skipped)
