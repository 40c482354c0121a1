"""Writes the Cython source that compiles each stage of each cell into tiles of its own.

Design. A tile is fast because the compiler knows the cell's form (how many blocks and states, which blocks each product feeds) and
its equations. So each stage has a function that returns its form in literals, and two functions that pass form and equations to
the inline tiles. The build writes them from the cells. Rejected: writing them by hand, which says each number twice; a form read at
run time, which keeps no sum in a register.
"""

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
    f.blocks, f.states, f.peepholes, f.operands, f.direct = {blocks}, {states}, {peepholes}, {operands}, {direct}
    f.stage, f.stages, f.first, f.last, f.w0, f.w1, f.feeds = {stage}, {stages}, {first}, {last}, {w0}, {w1}, {feeds}
{feed}
    return f
"""
STAGE = """cdef void {name}_forward{stage}(const recurrence_t* r, long t, long row, long n) noexcept nogil:
    forward_rows({name}.{forward}, {name}_form{stage}(), r, t, row, n)
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
        for k, (block, state) in enumerate(zip(cell.peepholes, cell.reads)):
            parts.append(PEEPHOLE.format(number=number, k=k, block=cell.blocks.index(block), before="'" in state,
                                         state=cell.states.index(state.rstrip("'"))))
        for stage, form in enumerate(form_functions(cell, stages, limits)):
            suffix = "" if stage + 1 == len(stages) else "_operands"
            parts += [form, STAGE.format(name=cell.name, number=number, stage=stage, forward="forward" + suffix,
                                         backward="backward" + suffix)]
        suffix = "_operands" if cell.operands else ""
        parts += [ROW.format(name=cell.name, number=number, width=width, vecs=2**width, last=len(stages) - 1,
                             forward="forward" + suffix, backward="backward" + suffix) for width in range(limits["ROW_WIDTHS"])]
    return "".join(parts)


def form_functions(cell, stages, limits):
    """The source of the function of each stage that returns its form."""
    for stage, (first, last, (w0, w1), feeds) in enumerate(stages):
        rows = [f"    f.feed[{k}] = Feed({', '.join(map(str, feed))})" for k, feed in enumerate(feeds)]
        rows += [f"    f.feed[{k}] = Feed(0, 0, 0)" for k in range(len(feeds), limits["MOST_FEEDS"])]
        yield FORM.format(
            name=cell.name, stage=stage, stages=len(stages), blocks=len(cell.blocks), states=len(cell.states),
            peepholes=len(cell.peepholes), operands=len(cell.operands), direct=cell.direct, first=first, last=last, w0=w0, w1=w1,
            feeds=len(feeds), feed="\n".join(rows))


def chains(cells, limits):
    names = {cell.name: number for number, cell in enumerate(cells)}
    parts = [f"# Written by the build.\ncdef Runs RUNS[{len(cells)}]\nCHAINS = {names}\n"]
    for number, cell in enumerate(cells):
        stages, suffix = forms(cell), "_operands" if cell.operands else ""
        parts += [f"\nfrom kernels.cells cimport {cell.name}", *form_functions(cell, stages, limits),
                  CHAIN.format(name=cell.name, number=number, last=len(stages) - 1, forward="forward" + suffix,
                               backward="backward" + suffix)]
    return "".join(parts)


def forms(cell):
    """The stages of a cell: (first block, last + 1, the range of blocks that W feeds, [(factor, first, last)]) each."""
    number = cell.blocks.index
    later = [number(block) for block, factor in zip(cell.recurrent, cell.factors) if factor in cell.operands]
    borders = [0, *([min(later)] if later else []), len(cell.blocks)]
    fed = [(number(block), f"OPERAND + {cell.operands.index(factor)}" if factor in cell.operands else 0)
           for block, factor in zip(cell.recurrent, cell.factors)]
    fed += [(number(block), cell.states.index(state)) for block, state in cell.feedback]
    stages = []
    for first, last in zip(borders, borders[1:]):
        inputs = spans([(number(block), None) for block in cell.inputs if first <= number(block) < last])
        if len(inputs) > 1:
            raise ValueError(f"kernels/table.py, {cell.name}: the blocks of a stage that W feeds must lie side by side")
        _, *range_of_w = inputs[0] if inputs else (None, first, first)
        stages.append((first, last, range_of_w, spans([pair for pair in fed if first <= pair[0] < last])))
    return stages


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
    sizes = {"MOST_BLOCKS": len(cell.blocks), "MOST_STATES": max(len(cell.states), len(cell.operands)), "MOST_STAGES": len(stages),
             "WIDEST": max(last - first for first, last, *_ in stages), "MOST_FEEDS": max(len(feeds) for *_, feeds in stages)}
    for limit, size in sizes.items():
        if size > limits[limit]:
            raise ValueError(f"kernels/table.py, {cell.name}: {size} is above {limit} = {limits[limit]}; raise it in kernels/*.pxd")
