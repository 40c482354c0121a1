"""The figures: each file of this folder is one.

A figure has TITLE (what is shown), CAPTION (all that a reader needs to read it), PLACE (its place on the page),
data(frame) -> tidy DataFrame of exactly what is drawn, empty where the study has nothing for it, and draw(data, figure).
One with caption(data) has a caption that depends on what is drawn. One with a TABLE gets that table of the report in place of the
trials. `draw` gets the data as they come back from the figure's CSV file.
"""

import importlib
import pkgutil

FIGURES = dict(sorted(
    ((file.name, importlib.import_module(f"{__name__}.{file.name}")) for file in pkgutil.iter_modules(__path__)),
    key=lambda figure: figure[1].PLACE))
