"""class RNN: a recurrent layer of any cell, in one direction or both, over one flat vector of parameters."""

import difflib
import threading
from types import SimpleNamespace

import numpy as np

from kernels import checks
from kernels.initial import draw
from kernels.processor import build, threads as available_threads
from kernels.workspace import Workspace

DIRECTIONS = {"forward": ("forward",), "reverse": ("reverse",), "both": ("forward", "reverse")}
MERGES = ("concat", "sum", "mean", "learned")
SCHEMES = ("uniform", "glorot", "orthogonal", "identity")
SEGMENT = build("timeloop", "float32").SEGMENT      # steps; recomputing by whole segments changes no bit
WIDEST = 2**16                  # units and inputs
CARRY = -1                      # the slot of the gradient that BPTT carries

CELLS = {row.name: row for row in build("timeloop", "float32").ROWS if row.recurrent}


class RNN:
    """A recurrent layer.

    Parameters
    ----------
    cell : str
        A key of ``kernels.CELLS``.
    inputs, units : int
        I and H, 1 or more.
    direction : "forward", "reverse" or "both"
        "reverse" starts at each row's last step.
    merge : "concat", "sum", "mean" or "learned"
        For "both": how the directions' outputs become one; "learned" is ``[h_fwd, h_rev] M + m``, 2H to H.
    dtype : "float32" or "float64"

    Attributes
    ----------
    shapes : dict
        Name to shape of each parameter, in the order in which they lie in the flat vector:
        ``{direction}/W`` (blocks W feeds, I, H), ``/U`` (blocks U feeds, H, H), ``/R`` (feedback, H, H; where the cell
        has any), ``/b`` (blocks, H), ``/p`` (peepholes, H), and ``merge/M`` (2H, H), ``merge/b`` (H,).
    size : int
        Parameters in all.
    cell : Cell
    inputs, units, direction, merge, dtype
        As given, dtype as NumPy's.

    Raises
    ------
    ValueError, TypeError
        From every method: an argument is not what it should be; the message names it, what was expected and what came.

    Notes
    -----
    ``a_k[b, j] = b_k[j] + sum_i x[b, i] W_k[i, j] + sum_i h'[b, i] U_k[i, j]`` for each block k, and for each (k, s) of
    the cell's feedback ``sum_i s'[b, i] R_ks[i, j]`` too; the cell's equations stand in kernels/cells. Calls may be made
    from several Python threads at once. A copy, pickled or not, has memory of its own; tapes cannot be copied.
    """

    def __init__(self, cell, inputs, units, direction="forward", merge="concat", dtype="float32"):
        self.cell = CELLS[_choice("cell", cell, CELLS)]
        self.inputs, self.units = checks.whole("inputs", inputs, most=WIDEST), checks.whole("units", units, most=WIDEST)
        if self.cell.direct and self.inputs != self.units:
            raise ValueError(f"inputs: {cell} has x itself in its equations, so expected {units} (units), got {inputs}")
        self.direction = _choice("direction", direction, DIRECTIONS)
        self.merge = _choice("merge", merge, MERGES)
        self.dtype = checks.dtype("dtype", dtype)
        self._loop = build("timeloop", self.dtype.name)
        self._update = build("update", self.dtype.name)
        self._names = DIRECTIONS[direction]
        self._learned = direction == "both" and merge == "learned"
        self._workspace = Workspace()
        self.shapes = {f"{name}/{key}": shape for name in self._names for key, shape in self._parameters()}
        if self._learned:
            self.shapes |= {"merge/M": (2 * self.units, self.units), "merge/b": (self.units,)}
        self._offsets, self.size = {}, 0
        for name, shape in self.shapes.items():
            self._offsets[name] = self.size
            self.size += int(np.prod(shape))

    def __reduce__(self):
        return type(self), (self.cell.name, self.inputs, self.units, self.direction, self.merge, self.dtype.name)

    def _parameters(self):
        cell, I, H = self.cell, self.inputs, self.units
        yield "W", (len(cell.inputs), I, H)
        yield "U", (len(cell.recurrent), H, H)
        if cell.feedback:
            yield "R", (len(cell.feedback), H, H)
        yield "b", (len(cell.blocks), H)
        if cell.peepholes:
            yield "p", (len(cell.peepholes), H)

    def view(self, theta):
        """Views into a flat vector of ``size`` numbers of either dtype, by name and with the shapes of ``shapes``."""
        theta = checks.fits("theta", theta, checks.FLOATS, (self.size,))
        return {name: theta[self._offsets[name]:self._offsets[name] + int(np.prod(shape))].reshape(shape)
                for name, shape in self.shapes.items()}

    def init(self, seed=0, scheme="uniform", forget_bias=1.0, chrono=None, prefix=""):
        """Draw parameters; each by its name, so that cells and directions share what they have in common.

        Parameters
        ----------
        seed : int, 0 or more
        scheme : str
            "uniform": all within +-1/sqrt(H) (fan-in 2H for the merge). "glorot": W, U, R and M within
            +-sqrt(6 / (fan-in + fan-out)), the rest 0 (Glorot & Bengio 2010). "orthogonal": as uniform, with each
            block of U a random orthogonal matrix. "identity": as uniform, with U the identity and b 0 (Le, Jaitly,
            Hinton 2015).
        forget_bias : float
            The bias of the gate that retains (with the sign that retains: -forget_bias for gru's z). A cell without one is
            refused any value but the default.
        chrono : float, optional
            The longest dependency expected, T_max > 2. Sets the retaining biases to v = log u, u uniform in
            [1, T_max - 1], and their opponents to -v (Tallec & Ollivier 2018), instead of forget_bias.
        prefix : str
            Stands before each parameter's name. Layers of one net need different ones ("layer1/"), or they start equal.

        Returns
        -------
        theta : (size,) array
        """
        seed = checks.whole("seed", seed, least=0)
        _choice("scheme", scheme, SCHEMES)
        forget_bias = checks.number("forget_bias", forget_bias)
        if forget_bias != 1 and not self.cell.retains:
            raise ValueError(f"forget_bias: {self.cell.name} has no gate whose bias could be set; expected 1.0, got {forget_bias!r}")
        if chrono is not None:
            chrono = checks.number("chrono", chrono)
            if not chrono > 2:
                raise ValueError(f"chrono: expected a longest dependency above 2, got {chrono!r}")
            if not self.cell.retains:
                raise ValueError(f"chrono: {self.cell.name} has no gate whose bias could be set; expected None")
        if not isinstance(prefix, str):
            raise TypeError(f"prefix: expected a string, got {prefix!r}")
        theta = np.zeros(self.size, self.dtype)
        draw(self.cell, {prefix + name: view for name, view in self.view(theta).items()}, seed, scheme, forget_bias, chrono)
        return theta

    def forward(self, theta, x, lengths=None, state=None, threads=None, tape=True, checkpoint=None):
        """Run the layer over x.

        Parameters
        ----------
        theta : (size,) array
        x : (T, B, I) array
        lengths : (B,) integers in 1..T, optional
            Steps of each row; later ones are not read, their y is 0. All T where missing.
        state : dict, optional
            Initial states by name, (D, B, H); what is missing is 0. D is 2 for "both", 1 being the reverse direction.
        threads : int, optional
            OMP_NUM_THREADS, or the processors this process may use. No number depends on it.
        tape : bool
            Keep what ``backward`` and ``gates`` need.
        checkpoint : int, optional
            Keep only the states of every `checkpoint` steps (rounded up to a multiple of 32) and compute the others
            again in the backward pass: the same bits in less memory.

        Returns
        -------
        out.y : (T, B, H), or (T, B, 2H) for "both" with "concat"
        out.state : {name: (D, B, H)}, each row's states at its end
        out.tape : Tape or None
        """
        theta = checks.array("theta", theta, (self.dtype,), (self.size,))
        x = checks.array("x", x, (self.dtype,), ("T", "B", self.inputs))
        T, B, _ = x.shape
        lengths, shortest = _lengths(lengths, T, B)
        states = self._states("state", state, B)
        if checkpoint is not None:
            checkpoint = checks.whole("checkpoint", checkpoint)
        span = T if tape and checkpoint is None else min(T, -(-(checkpoint or 1) // SEGMENT) * SEGMENT)
        tape = Tape(self, theta.copy(), x, lengths, shortest, span, available_threads(threads), bool(tape))
        H, y = self.units, np.empty((T, B, len(self._names) * self.units), self.dtype)
        for d, (name, run) in enumerate(zip(self._names, tape.passes)):
            run.aim(y=y, column=d * H)
            run.pack(tape.theta, self._offsets[f"{name}/W"], False)
        for i in range(len(tape.segments)):
            ranges = tape.ranges(i)
            for d, run in enumerate(tape.passes):
                run.put(run.first_slot(*ranges[d]), states[:, d])
            if tape.kept and span < T:
                tape.borders.append(states.copy())
            self._loop.forward(tape.passes, ranges, tape.threads)
            for d, run in enumerate(tape.passes):
                run.get(run.last_slot(*ranges[d]), states[:, d])
        y = self._merged(tape, y)
        if not tape.kept:
            tape.release()
        return SimpleNamespace(y=y, state=dict(zip(self.cell.states, states)), tape=tape if tape.kept else None)

    def gates(self, tape):
        """Gate values {block: (D, T, B, H)} on a tape that has not been spent, 0 past a row's length.

        Raises RuntimeError where the tape has been spent, ValueError where it was made with a checkpoint below T.
        """
        self._own(tape)
        if tape.span < len(tape.x):
            raise ValueError("tape: expected one made without checkpoint, which keeps all gates")
        alive = np.arange(len(tape.x))[:, None, None] < tape.lengths[:, None]
        found = []
        for run in tape.passes:
            step_group_row_block_unit = run.gates().transpose(3, 0, 2, 1, 4)
            values = step_group_row_block_unit.reshape(*step_group_row_block_unit.shape[:3], -1)[..., :self.units]
            found.append(np.where(alive, values, self.dtype.type(0)))
        return dict(zip(self.cell.blocks, np.stack(found, axis=1)))

    def backward(self, tape, dy=None, dstate=None, inputs=True, norms=False, truncated=False):
        """Backpropagation through time, with forward's threads. It spends the tape.

        Parameters
        ----------
        tape : Tape
        dy : array like forward's y, optional
            Gradient with respect to y; 0 where missing, not read past a row's length.
        dstate : dict, optional
            Gradient with respect to the final states, {name: (D, B, H)}.
        inputs : bool
            Compute grad.x.
        norms : bool
            Compute grad.norms.
        truncated : bool
            As Hochreiter & Schmidhuber 1997: errors flow back along the states' own paths only, not through U, R or the
            peepholes. For cells with a state besides h.

        Returns
        -------
        grad.theta : (size,)
        grad.x : (T, B, I) or None
        grad.state : {name: (D, B, H)}, with respect to the initial states
        grad.norms : {name: (D, T, B)} float64, or None
            |dL/dstate_t| of each row, the total derivative, by x's t; 0 past a row's length.

        Raises
        ------
        RuntimeError
            The tape has been spent.
        """
        self._own(tape)
        T, B, _ = tape.x.shape
        width = self.units * (2 if self.direction == "both" and self.merge == "concat" else 1)
        if dy is not None:
            dy = checks.array("dy", dy, (self.dtype,), (T, B, width))
        carry = self._states("dstate", dstate, B)
        if truncated and len(self.cell.states) == 1:
            raise ValueError(f"truncated: expected False, for {self.cell.name} has no state but h")
        theta = np.zeros(self.size, self.dtype)
        dx = [np.empty_like(tape.x) for _ in tape.passes] if inputs else [None] * len(tape.passes)
        sizes = np.zeros((len(self._names), len(self.cell.states), T, B)) if norms else [None] * len(tape.passes)
        tape.spend()
        dy = self._unmerged(tape, dy, theta)
        for d, (name, run) in enumerate(zip(self._names, tape.passes)):
            offset = self._offsets[f"{name}/W"]
            run.aim(dy=dy, column=d * self.units * (dy is not None and dy.shape[2] > self.units), dx=dx[d],
                    norms=sizes[d], grad=theta, offset=offset, truncated=truncated)
            run.pack(tape.theta, offset, True)
            run.put(CARRY, carry[:, d])
        for i in reversed(range(len(tape.segments))):
            ranges = tape.ranges(i)
            if i + 1 < len(tape.segments):
                for d, run in enumerate(tape.passes):
                    run.put(run.first_slot(*ranges[d]), tape.borders[i][:, d])
                self._loop.forward(tape.passes, ranges, tape.threads)
            self._loop.backward(tape.passes, ranges, tape.threads, self._workspace.take, self._workspace.give)
        for d, run in enumerate(tape.passes):
            run.get(CARRY, carry[:, d])
        tape.release()
        if inputs and len(dx) == 2:
            self._update.add(dx[0].reshape(-1), dx[1].reshape(-1))
        names = self.cell.states
        return SimpleNamespace(
            theta=theta, x=dx[0], state=dict(zip(names, carry)),
            norms={name: sizes[:, s] for s, name in enumerate(names)} if norms else None)

    def _own(self, tape):
        """Refuse what is not an unspent tape of this layer."""
        if not isinstance(tape, Tape):
            raise TypeError(f"tape: expected the tape of a forward pass, got {type(tape).__name__}")
        if tape.layer is not self:
            raise ValueError("tape: expected one that this layer made, got another layer's")
        tape.refuse_spent()

    def _states(self, argument, given, B):
        """(S, D, B, H) from {name: (D, B, H)}, with 0 for what is missing."""
        shape = (len(self._names), B, self.units)
        states = np.zeros((len(self.cell.states), *shape), self.dtype)
        if not (given is None or isinstance(given, dict)):
            raise TypeError(f"{argument}: expected a dict of arrays by state, got {type(given).__name__}")
        for key, value in (given or {}).items():
            _choice(argument, key, self.cell.states)
            states[self.cell.states.index(key)] = checks.array(f"{argument}[{key!r}]", value, (self.dtype,), shape)
        return states

    def _merged(self, tape, y):
        """y of both directions, (T, B, 2H), as the layer gives it."""
        H = self.units
        if self.direction != "both" or self.merge == "concat":
            return y
        if self.merge != "learned":
            total = y[..., :H].flatten()
            self._update.add(total, y[..., H:].flatten())
            if self.merge == "mean":
                self._update.scale(total, 0.5)
            return total.reshape(*y.shape[:2], H)
        merged = np.empty((*y.shape[:2], H), self.dtype)
        tape.merge = tape.made("affine", False, y)
        tape.merge.aim(y=merged)
        tape.merge.pack(tape.theta, self._offsets["merge/M"], False)
        for segment in tape.segments:
            self._loop.forward([tape.merge], [segment], tape.threads)
        return merged

    def _unmerged(self, tape, dy, grad):
        """The gradient with respect to y of both directions; adds the merge's own to grad."""
        if dy is None or self.direction != "both" or self.merge == "concat" or self.merge == "sum":
            return dy
        T, B, H = dy.shape
        if self.merge == "mean":
            half = dy.flatten()
            self._update.scale(half, 0.5)
            return half.reshape(T, B, H)
        both = np.empty((T, B, 2 * H), self.dtype)
        tape.merge.aim(dy=dy, dx=both, grad=grad, offset=self._offsets["merge/M"])
        tape.merge.pack(tape.theta, self._offsets["merge/M"], True)
        tape.merge.put(CARRY, np.zeros((1, B, H), self.dtype))
        for segment in reversed(tape.segments):
            self._loop.backward([tape.merge], [segment], tape.threads, self._workspace.take, self._workspace.give)
        return both


class Tape:
    """What a forward pass keeps for the backward pass, which spends it. It refers to x.

    The steps are cut into segments of `span` steps, of which one lies in the passes' buffers at a time; the states at
    the segments' borders are kept when there are several.
    """

    def __init__(self, layer, theta, x, lengths, shortest, span, threads, kept):
        self.layer, self.theta, self.x, self.lengths, self.shortest = layer, theta, x, lengths, shortest
        self.span, self.threads, self.kept = span, threads, kept
        self.segments = [(t, min(t + span, len(x))) for t in range(0, len(x), span)]
        self.borders, self.merge, self.spent, self.lock = [], None, False, threading.Lock()
        self.passes = [self.made(layer.cell.name, name == "reverse", x) for name in layer._names]

    def made(self, cell, reverse, x):
        """A pass over x with a buffer of its own."""
        layer = self.layer
        return layer._loop.Pass(cell, reverse, x, self.lengths, self.shortest, layer.units, self.span,
                                layer._workspace.take)

    def ranges(self, i):
        """The steps of each pass's i-th segment; a reverse pass starts at the last."""
        return [self.segments[-1 - i if run.reverse else i] for run in self.passes]

    def refuse_spent(self):
        if self.spent:
            raise RuntimeError("tape: expected one that no backward pass has spent; run forward again")

    def spend(self):
        """Of several Python threads, one; and in a child of the process that ran forward, on its one thread."""
        with self.lock:
            self.refuse_spent()
            self.spent = True
        self.threads = available_threads(self.threads)

    def release(self):
        """Give the buffers back for other tapes to use."""
        for run in [*self.passes, *([self.merge] if self.merge else [])]:
            self.layer._workspace.give(run.buffer)
        self.passes, self.merge, self.borders = [], None, []


def _lengths(lengths, T, B):
    """(B,) int32 and the least of them."""
    if lengths is None:
        return np.full(B, T, np.int32), T
    lengths = checks.integers("lengths", lengths, (B,))
    steps = lengths.tolist()
    shortest, longest = min(steps), max(steps)
    if shortest < 1 or longest > T:
        raise ValueError(f"lengths: expected integers in 1..{T} (T), got {shortest if shortest < 1 else longest}")
    return lengths.astype(np.int32), shortest


def _choice(name, value, allowed):
    if not isinstance(value, str) or value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, 1)
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}"
                         + (f"; did you mean {near[0]!r}?" if near else ""))
    return value
