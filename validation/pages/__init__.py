"""Pages of reports: one style, figures inside the file."""

import base64
import io
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from phase_diagrams.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rendered(package: str, template: str, **values: Any) -> str:
    """Return a page from a template that lies in a package and extends base.html.

    Parameters
    ----------
    package, template
        Where the template is.
    values
        What it shows.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("validation.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment.get_template(template).render(**values)


def inline(figure: "Figure") -> str:
    """Return a figure as the address of an image that a page holds itself."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return address(file.getvalue())


def address(image: bytes) -> str:
    """Return the address of an image that a page holds itself."""
    return "data:image/png;base64," + base64.b64encode(image).decode()
