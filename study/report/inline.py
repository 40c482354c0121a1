"""A figure as a part of a page: its SVG without what a page does not need, with ids of its own."""

import re
import xml.etree.ElementTree as ElementTree

SPACE = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE, NUMBER = re.compile(r"#([\w-]+)"), re.compile(r"-?\d+\.\d+")
UNTURNED = re.compile(r"rotate\(-?0 [^)]*\)")

ElementTree.register_namespace("", SPACE)


class Inliner:
    """Makes elements of a page from the SVGs of its figures.

    Attributes
    ----------
    styles : {style: its class}, which the page has to define
    """

    def __init__(self):
        self.styles, self.made = {}, 0

    def __call__(self, svg, alt):
        """The element of an SVG; `alt` says in words what is seen."""
        root = ElementTree.fromstring(svg)
        box = root.get("viewBox")
        root.attrib.clear()
        _drop(root, {f"{{{SPACE}}}metadata", f"{{{SPACE}}}style"})
        used = dict.fromkeys(name for element in root.iter() for value in element.attrib.values() for name in _named(value))
        ids = {name: f"f{self.made}-{k}" for k, name in enumerate(used)}
        self.made += 1
        for element in root.iter():
            self._shorten(element, ids)
        _flatten(root)
        root.attrib.update({"viewBox": box, "role": "img", "aria-label": alt, "class": "drawing"})
        return ElementTree.tostring(root, encoding="unicode")

    def sheet(self):
        """The definitions of the classes, as CSS."""
        return "\n".join(f".{name}{{{style}}}" for style, name in self.styles.items())

    def _shorten(self, element, ids):
        given = dict(element.attrib)
        element.attrib.clear()
        element.text = element.text and element.text.strip("\n")
        element.tail = None
        for name, value in given.items():
            if name == "id":
                value = ids.get(value)
            elif _named(value):
                value = REFERENCE.sub(lambda match: f"#{ids[match[1]]}", value)
            elif name == "style":
                name, value = "class", self.styles.setdefault(_compact(value), f"s{len(self.styles)}")
            elif name == "transform":
                value = UNTURNED.sub("", value)
            elif name in ("d", "x", "y", "width", "height"):
                value = NUMBER.sub(_tenths, re.sub(r"\s*\n\s*", "", value))
            if value:
                element.set("href" if name == LINK else name, value)


def _compact(style):
    return style.replace("font-family: 'DejaVu Sans'; ", "").replace("; ", ";").replace(": ", ":")


def _drop(element, tags):
    for child in list(element):
        if child.tag in tags:
            element.remove(child)
        else:
            _drop(child, tags)


def _named(value):
    """The ids to which an attribute refers."""
    return REFERENCE.findall(value) if value.startswith(("#", "url(")) else ()


def _tenths(match):
    return f"{float(match[0]):z.1f}".removesuffix(".0")


def _flatten(element):
    """Put the children of groups that say nothing in their place."""
    for child in list(element):
        _flatten(child)
        if child.tag in (f"{{{SPACE}}}g", f"{{{SPACE}}}defs") and not child.attrib and (child.tag.endswith("g") or not len(child)):
            place = list(element).index(child)
            element[place : place + 1] = list(child)
