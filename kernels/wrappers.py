"""Writes the Cython source that compiles each stage of each cell into tiles of its own.

Design. A tile is fast because the compiler knows the cell's form (how many blocks and states, which blocks each product feeds) and
its equations. So each stage has a function that returns its form in literals, and two functions that pass form and equations to
the inline tiles. The build writes them from the cells. Rejected: writing them by hand, which says each number twice; a form read at
run time, which keeps no sum in a register.
"""

from typing import NamedTuple

CELL = """
from kernels.cells cimport {name}
CELLS.append({cell!r})
KERNELS[{number}].stages = {stages}
"""
PEEPHOLE = """KERNELS[{number}].peephole[{k}] = Peephole({block}, {state}, {before})
"""
FORM = """
cdef inline Form {name}_form{stage}() noexcept nogil:
    cdef Form f
    f.blocks, f.states, f.peepholes, f.operands = {blocks}, {states}, {peepholes}, {operands}
    f.direct, f.own = {direct}, {own}
    f.stage, f.stages, f.first, f.last, f.s0, f.s1 = {stage}, {stages}, {first}, {last}, {s0}, {s1}
    f.w0, f.w1, f.b0, f.b1, f.feeds = {w0}, {w1}, {b0}, {b1}, {feeds}
{feed}
    return f
"""
OWN = """
cdef void {name}_derive(const vec* own, vec* p, vec* scale) noexcept nogil:
    {name}.derive(own, p, scale)
cdef void {name}_derive_back(const vec* own, const vec* p, const vec* dp, const vec* dscale, vec* down) noexcept nogil:
    {name}.derive_back(own, p, dp, dscale, down)
KERNELS[{number}].own, KERNELS[{number}].derive, KERNELS[{number}].derive_back = {own}, {name}_derive, {name}_derive_back
"""
STAGE = """cdef void {name}_forward{stage}(const recurrence_t* r, long t, long row, long n) noexcept nogil:
    forward_rows({name}.{forward}, {name}_form{stage}(), sum_lines_once, r, t, row, n)
cdef void {name}_backward{stage}(const recurrence_t* r, long t, long row, long n) noexcept nogil:
    backward_rows({name}.{backward}, {name}_form{stage}(), r, t, row, n)
KERNELS[{number}].form[{stage}] = {name}_form{stage}()
KERNELS[{number}].forward[{stage}] = {name}_forward{stage}
KERNELS[{number}].backward[{stage}] = {name}_backward{stage}
"""
CHAIN = """cdef void {name}_forward_chain(const Chain* c, long steps) noexcept nogil:
    forward_chain({name}.forward, {name}.{forward}, {name}_form0(), {name}_form{last}(), c, steps)
cdef void {name}_backward_chain(const Chain* c, long steps) noexcept nogil:
    backward_chain({name}.backward, {name}.{backward}, {name}_form0(), {name}_form{last}(), c, steps)
RUNS[{number}] = Runs({name}_forward_chain, {name}_backward_chain)
"""
ROW = """
cdef void {name}_forward_row{vecs}(const recurrence_t* r, Steps q) noexcept nogil:
    forward_row({name}.{forward}, {name}.forward, {name}_form0(), {name}_form{last}(), {vecs}, r, q)
cdef void {name}_backward_row{vecs}(const recurrence_t* r, Steps q) noexcept nogil:
    backward_row({name}.{backward}, {name}.backward, {name}_form0(), {name}_form{last}(), {vecs}, r, q)
KERNELS[{number}].forward_row[{width}] = {name}_forward_row{vecs}
KERNELS[{number}].backward_row[{width}] = {name}_backward_row{vecs}
"""


def sources(cells, limits):
    """{name of a file: the Cython source of all cells} for the time loop and for kernels/chain.pyx.

    Parameters
    ----------
    cells : list of Cell
    limits : dict
        MOST_BLOCKS, MOST_STATES, MOST_STAGES, MOST_FEEDS: the sizes of the arrays; WIDEST: the blocks that a tile can hold;
        ROW_WIDTHS: the numbers of vecs that have loops for one row.
    """
    return {"cells.pxi": tiles(cells, limits), "chains.pxi": chains(cells, limits)}


def tiles(cells, limits):
    parts = ["# Written by the build from kernels/table.py and kernels/cells.\n", f"cdef Kernel KERNELS[{len(cells)}]\n"]
    for number, cell in enumerate(cells):
        stages = forms(cell)
        refuse_too_large(cell, stages, limits)
        parts.append(CELL.format(name=cell.name, cell=cell, number=number, stages=len(stages)))
        if cell.own:
            parts.append(OWN.format(name=cell.name, number=number, own=len(cell.own)))
        for k, (block, state) in enumerate(zip(cell.peepholes, cell.reads)):
            parts.append(PEEPHOLE.format(number=number, k=k, block=cell.blocks.index(block), before="'" in state,
                                         state=cell.states.index(state.rstrip("'"))))
        for stage, form in enumerate(form_functions(cell, stages, limits)):
            suffix = "" if stage + 1 == len(stages) else early(cell)
            parts += [form, STAGE.format(name=cell.name, number=number, stage=stage, forward="forward" + suffix,
                                         backward="backward" + suffix)]
        suffix = early(cell) if len(stages) > 1 else ""
        parts += [ROW.format(name=cell.name, number=number, width=width, vecs=2**width, last=len(stages) - 1,
                             forward="forward" + suffix, backward="backward" + suffix) for width in range(limits["ROW_WIDTHS"])]
    return "".join(parts)


def form_functions(cell, stages, limits):
    """The source of the function of each stage that returns its form."""
    for k, stage in enumerate(stages):
        rows = [f"    f.feed[{i}] = Feed({', '.join(map(str, feed))})" for i, feed in enumerate(stage.feeds)]
        rows += [f"    f.feed[{i}] = Feed(0, 0, 0)" for i in range(len(stage.feeds), limits["MOST_FEEDS"])]
        (w0, w1), (b0, b1), (s0, s1) = stage.inputs, stage.biases, stage.states
        yield FORM.format(
            name=cell.name, stage=k, stages=len(stages), blocks=len(cell.blocks), states=len(cell.states),
            peepholes=len(cell.peepholes), operands=len(cell.operands), direct=cell.direct, own=bool(cell.own), first=stage.first, last=stage.last,
            w0=w0, w1=w1, b0=b0, b1=b1, s0=s0, s1=s1, feeds=len(stage.feeds), feed="\n".join(rows))


def early(cell):
    """What the names of a cell's functions for its first of two stages end with."""
    return "_operands" if cell.operands else "_early"


def chains(cells, limits):
    names = {cell.name: number for number, cell in enumerate(cells)}
    parts = [f"# Written by the build.\ncdef Runs RUNS[{len(cells)}]\nCHAINS = {names}\n"]
    for number, cell in enumerate(cells):
        stages = forms(cell)
        suffix = early(cell) if len(stages) > 1 else ""
        parts += [f"\nfrom kernels.cells cimport {cell.name}", *form_functions(cell, stages, limits),
                  CHAIN.format(name=cell.name, number=number, last=len(stages) - 1, forward="forward" + suffix,
                               backward="backward" + suffix)]
    return "".join(parts)


class Stage(NamedTuple):
    """A stage of a cell, by the numbers of its blocks and states.

    It completes the blocks [first, last). `inputs`, `biases`: the range of them that W feeds, and that have a bias. `states`: the
    range of states that it completes. `feeds`: (factor, first, last) of each recurrent product.
    """

    first: int
    last: int
    inputs: tuple
    biases: tuple
    states: tuple
    feeds: list


def forms(cell):
    """The Stages of a cell."""
    number, in_step = cell.blocks.index, {*cell.factors} - {"h'"}
    later = [number(block) for block, factor in zip(cell.recurrent, cell.factors) if factor in in_step]
    borders = [0, *([min(later)] if later else []), len(cell.blocks)]
    fed = [(number(block), source(cell, factor)) for block, factor in zip(cell.recurrent, cell.factors)]
    fed += [(number(block), cell.states.index(state)) for block, state in cell.feedback]
    completed = [state for state in cell.states if state in in_step]
    stages = []
    for first, last in zip(borders, borders[1:]):
        ends = last == len(cell.blocks)
        own = [state for state in cell.states if (state in completed) != ends]
        stages.append(Stage(first, last, side_by_side(cell, "blocks of a stage that W feeds", cell.inputs, first, last),
                            side_by_side(cell, "blocks of a stage with a bias", cell.biases, first, last),
                            side_by_side(cell, "states that a stage completes", own, 0, len(cell.states), cell.states),
                            spans([pair for pair in fed if first <= pair[0] < last])))
    return stages


def source(cell, factor):
    """The source of a Feed, as source."""
    if factor in cell.operands:
        return f"OPERAND + {cell.operands.index(factor)}"
    return 0 if factor == "h'" else f"NEW + {cell.states.index(factor)}"


def side_by_side(cell, what, names, first, last, among=None):
    """The range of those of `names` whose numbers lie in [first, last)."""
    numbers = [(among or cell.blocks).index(name) for name in names]
    ranges = spans([(number, None) for number in sorted(numbers) if first <= number < last])
    if len(ranges) > 1:
        raise ValueError(f"kernels/table.py, {cell.name}: the {what} must lie side by side")
    return ranges[0][1:] if ranges else (first, first)


def spans(pairs):
    """Pairs (block, factor) as (factor, first, last): neighbouring blocks that one factor feeds are one span."""
    joined = []
    for block, factor in pairs:
        if joined and joined[-1][0] == factor and joined[-1][2] == block:
            joined[-1][2] += 1
        else:
            joined.append([factor, block, block + 1])
    return [tuple(span) for span in joined]


def refuse_too_large(cell, stages, limits):
    sizes = {"MOST_BLOCKS": max(len(cell.blocks), len(cell.peepholes), len(cell.own)),
             "MOST_STATES": max(len(cell.states), len(cell.operands)), "MOST_STAGES": len(stages),
             "WIDEST": max(stage.last - stage.first for stage in stages),
             "MOST_FEEDS": max(len(stage.feeds) for stage in stages)}
    for limit, size in sizes.items():
        if size > limits[limit]:
            raise ValueError(f"kernels/table.py, {cell.name}: {size} is above {limit} = {limits[limit]}; raise it in kernels/*.pxd")
