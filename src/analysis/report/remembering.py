"""What matplotlib works out again and again while a figure is drawn, worked out once.

The layout, the drawing and the cut each ask every text for its size, and each label of an axis
for the ticks beside it. The texts keep their words and fonts meanwhile, and once the layout has
placed the axes nothing moves any more. A figure that remembers may be drawn but not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from matplotlib.axis import Axis
from matplotlib.spines import Spine
from matplotlib.text import Annotation, Text

if TYPE_CHECKING:
    from matplotlib.artist import Artist


def remember_sizes(artists: Sequence[Artist]) -> None:
    """Lay out the lines of each text once; its words and sides may still change.

    An axis without a label needs no place for it, which is found from all of its ticks.
    """
    for artist in artists:
        if isinstance(artist, Text):
            _change(artist, "_get_layout", lambda make, it=artist: partial(_layout, it, make, {}))
        elif isinstance(artist, Axis) and not artist.get_label_text():
            artist.set_label_coords(0, 0)


def _change(artist: Artist, method: str, remembering: Callable[[Callable], Callable]) -> None:
    """Put what remembers in the place of a method; where matplotlib has none, time is lost only."""
    if hasattr(artist, method):
        setattr(artist, method, remembering(getattr(artist, method)))


def _layout(text: Text, make: Callable, made: dict[Any, Any], renderer: Any) -> Any:
    sides = text.get_horizontalalignment(), text.get_verticalalignment(), text.get_rotation()
    asked = text.get_text(), renderer, *sides
    if asked not in made:
        made[asked] = make(renderer)
    return made[asked]


def remember_places(artists: Sequence[Artist]) -> None:
    """Place ticks, and what stands beside axes, once; from now on nothing may move."""
    for artist in artists:
        if isinstance(artist, Axis):
            _remember_ticks(artist)
        elif isinstance(artist, Spine):
            _change(artist, "get_window_extent", _once)
        elif isinstance(artist, Annotation):
            _change(artist, "_get_xy_transform", lambda make: partial(_transform, make, {}))


def _remember_ticks(axis: Axis) -> None:
    _change(axis, "_update_ticks", _once)
    _change(axis, "_get_ticklabel_bboxes", _once)


def _once(make: Callable[..., Any]) -> Callable[..., Any]:
    """Give what ``make`` gives when first called, whatever it is called with."""
    made = []

    def remembered(*asked: Any, **named: Any) -> Any:
        if not made:
            made.append(make(*asked, **named))
        return made[0]

    return remembered


def _transform(make: Callable, made: dict[Any, Any], renderer: Any, coordinates: Any) -> Any:
    if not isinstance(coordinates, str):  # of two words, each of which is asked for by itself
        return make(renderer, coordinates)
    if coordinates not in made:
        made[coordinates] = make(renderer, coordinates)
    return made[coordinates]
