"""The pictures of providers as markup that a page can carry.

A picture is drawn anew from the shapes in its file: what is not a plain shape (scripts, links, styles, foreign markup)
is not copied, so a folder that somebody brings along puts nothing but lines and colours on a page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_SHAPES = {"g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
_GEOMETRY = "d cx cy r rx ry x y x1 y1 x2 y2 width height points transform"
_PAINT = (
    "fill fill-rule fill-opacity clip-rule opacity stroke stroke-width stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-opacity"
)
_OF_SHAPES = {*_GEOMETRY.split(), *_PAINT.split()}
_OF_PICTURE = {"viewBox", *_PAINT.split()}


class BadPicture(ValueError):
    """The file is no picture that can be shown."""


@cache
def picture(path: Path) -> SafeString:
    """An SVG element of the shapes in ``path``, hidden from assistive technology. Raises BadPicture."""
    text = path.read_text()
    if "<!" in text.replace("<!--", ""):
        raise BadPicture("It has a document type or entities.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no document type, so nothing to expand
    except ElementTree.ParseError as error:
        raise BadPicture(f"It is not well-formed: {error}.") from None
    if _name(root) != "svg" or not root.get("viewBox"):
        raise BadPicture("It must be an svg element with a viewBox.")
    shapes = _shapes(root)
    if not shapes:
        raise BadPicture("It draws nothing: only plain shapes are taken.")
    return format_html(
        '<svg class="icon sr-provider"{} aria-hidden="true" focusable="false">{}</svg>',
        _attributes(root, _OF_PICTURE),
        shapes,
    )


def _shapes(parent: ElementTree.Element) -> SafeString:
    kept = [(_name(child), child) for child in parent if _name(child) in _SHAPES]
    return format_html_join(
        "", "<{0}{1}>{2}</{0}>", ((name, _attributes(child, _OF_SHAPES), _shapes(child)) for name, child in kept)
    )


def _attributes(element: ElementTree.Element, allowed: set[str]) -> SafeString:
    return format_html_join(
        "",
        ' {}="{}"',
        # A paint that refers to something ("url(#a)") refers to what was left out.
        ((name, value) for name, value in element.attrib.items() if name in allowed and "url(" not in value),
    )


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).removeprefix(_NAMESPACE)
