"""The figures: one file each, found by where it lies.

A file of this folder is a figure: TITLE, CAPTION, PLACE (its place on the page), data(frame) -> tidy DataFrame of exactly what
is drawn (empty where the study has nothing for it), and draw(data, figure).
"""

import importlib
import pkgutil

FIGURES = dict(sorted(
    ((found.name, importlib.import_module(f"{__name__}.{found.name}")) for found in pkgutil.iter_modules(__path__)),
    key=lambda figure: figure[1].PLACE))
