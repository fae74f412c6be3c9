"""How Sphinx makes the site of these pages: `make docs`."""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from effective_theory.installation import project_version

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "The effective theory of grokking"
release = version = project_version()
author = copyright = "the project's contributors"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "mathml",
]
# Scripts beside pages make their tables and pictures.
exclude_patterns = ["extensions", "*.py"]
templates_path: list[str] = []
nitpicky = False

# Text.
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
# A shell's commands stand indented in these pages, and are no Python.
highlight_language = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Notebooks are scripts; they are run once, and again when they change.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_merge_streams = True

# Reference.
default_role = "py:obj"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "alphabetical"
autodoc_default_options = {"members": True, "show-inheritance": False}
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# Pages: everything they need lies beside them.
html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
# Attributes are looked up by their names in all classes, and several classes have a train_step.
suppress_warnings = ["ref.python"]
html_copy_source = False

#: What reStructuredText reads as markup and docstrings mean as it stands: |E| and names_.
_MARKUP = re.compile(r"(``.*?``|`[^`]+`)|([|]|(?<=\w)_(?=[\s,.;:)]|$))")


def as_it_stands(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Escape formulas in a docstring, outside of code."""
    for place, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[place] = _MARKUP.sub(lambda m: m[1] or "\\" + m[2], line)


def setup(app: Sphinx) -> None:
    """Read docstrings before napoleon does."""
    app.connect("autodoc-process-docstring", as_it_stands, priority=400)
