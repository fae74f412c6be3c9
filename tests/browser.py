"""What a page looks like in a window of some width, light or dark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_PLACES = """elements => elements.map(element => {
  const {x, width} = element.getBoundingClientRect()
  return [x, width]
})"""
_BACKGROUND = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"


class Place(NamedTuple):
    """Where an element is, in pixels from the left."""

    x: float
    width: float


@dataclass(frozen=True)
class Shown:
    """A page in a window.

    Attributes
    ----------
    overflow
        Pixels by which the page is wider than the window.
    is_dark
        Whether its background is dark.
    """

    overflow: int
    is_dark: bool
    _tab: Any

    def places(self, selector: str) -> list[Place]:
        """Where the elements are that a CSS selector means."""
        return [Place(*place) for place in self._tab.eval_on_selector_all(selector, _PLACES)]


def show(browser: Any, page: Path, width: int, scheme: str, ready: str = "true") -> Shown:
    """Open a page; ``ready`` is the script's condition for its being complete."""
    tab = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
    tab.goto(page.as_uri())
    tab.wait_for_function(ready)
    overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return Shown(overflow, sum(tab.evaluate(_BACKGROUND)[:3]) < 3 * 128, tab)
