"""What reports call cells and initialisations, and in which order these stand."""

from kernels import CELLS

FAMILIES = {"standard": "standard initialisation", "long": "long initialisation"}


def cell_place(cell):
    return list(CELLS).index(cell)


def by_registry(cells):
    """The cells, once each, in the order of the registry."""
    return sorted(set(cells), key=cell_place)


def in_list(cell):
    """A cell's title without a comma."""
    title, _, variant = CELLS[cell].title.partition(", ")
    return f"{title} ({variant})" if variant else title


def init_place(init):
    """Sort key of an initialisation: the families first, then the crossed ones by name."""
    return list(FAMILIES).index(init) if init in FAMILIES else len(FAMILIES), init


def by_family(inits):
    """The initialisations, once each, in order."""
    return sorted(set(inits), key=init_place)


def init_label(init):
    return FAMILIES.get(init, f"{init.replace('-', ', ')} initialisation")
