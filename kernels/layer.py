"""class RNN: a recurrent layer of any cell, in one direction or both, over one flat vector of parameters."""

import itertools
import math
from types import SimpleNamespace

import numpy as np

from kernels import checks, parameters
from kernels.initial import draw
from kernels.processor import build, threads as available_threads
from kernels.stepper import Stepper
from kernels.tape import SEGMENT, Record, Tape
from kernels.workspace import Workspace

DIRECTIONS = {"forward": ("forward",), "reverse": ("reverse",), "both": ("forward", "reverse")}
MERGES = ("concat", "sum", "mean", "learned")
SCHEMES = ("uniform", "glorot", "orthogonal", "identity")
SCHEMES_WITHOUT_U = ("uniform", "glorot")
WIDEST = 2**16                  # units and inputs
LONGEST = 2**31 - 1             # steps, which lengths count in 32 bits

MERGE = "affine"                # the cell that is no recurrent layer, but the learned merge of two directions
_CELLS = {cell.name: cell for cell in build("timeloop", "float32").CELLS if cell.name != MERGE}
CELLS = dict(_CELLS)            # for callers; layers look cells up in their own dict, which callers do not change


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
    block : int
        S, the neighbouring cells of a memory cell block, which share their gates; for an LSTM whose gates read no single cells.

    Attributes
    ----------
    shapes : dict
        Name to shape of each parameter, in the order of the flat vector; each reading gives a new dict.
        ``{direction}/W`` (blocks that W feeds, I, H), ``/U`` (blocks that U feeds, H, H), ``/R`` (feedback, H, H), ``/b`` (blocks
        with a bias, H), ``/p`` (peepholes, or the cell's own parameters, H), each where the cell has any, and ``merge/M`` (2H, H),
        ``merge/b`` (H,). With memory cell blocks the weights to gates stand apart, with a column for each block of cells:
        ``/W_gates`` (gates, I, H / S), ``/U_gates`` (gates, H, H / S), ``/b_gates``; ``/R`` and ``/R_gates`` have H / S rows.
        kernels.parameters.kinds says which rows each has.
    size : int
        The number of parameters.
    cell : Cell
    inputs, units, direction, merge, dtype, block
        As given, dtype as NumPy's. All attributes are fixed.

    Raises
    ------
    ValueError, TypeError
        From every method: an argument is invalid; the message names it, what was expected and what came.

    Notes
    -----
    ``a_k[b, j] = b_k[j] + sum_i x[b, i] W_k[i, j] + sum_i h'[b, i] U_k[i, j]`` for each block k, plus
    ``sum_i s'[b, i] R_ks[i, j]`` for each (k, s) of the cell's feedback; the cell's equations are in kernels/cells. Several
    Python threads may call a layer at once. A copy, pickled or not, has memory of its own; tapes cannot be copied.
    """

    cell, inputs, units, direction, merge, dtype, block, size = (checks.Fixed() for _ in range(8))
    shapes = checks.FixedDict()

    def __init__(self, cell, inputs, units, direction="forward", merge="concat", dtype="float32", block=1):
        self.cell = _CELLS[checks.choice("cell", cell, _CELLS)]
        self.inputs, self.units = checks.whole("inputs", inputs, most=WIDEST), checks.whole("units", units, most=WIDEST)
        if self.cell.direct and self.inputs != self.units:
            raise ValueError(f"inputs: the equations of {cell} add x to states, so expected {units} (units), got {inputs}")
        self.direction = checks.choice("direction", direction, DIRECTIONS)
        self.merge = checks.choice("merge", merge, MERGES)
        self.dtype = checks.dtype("dtype", dtype)
        self.block = checks.whole("block", block)
        if self.block > 1 and not self.cell.gates:
            raise ValueError(f"block: expected 1, for {cell} has no gates that cells could share, got {block}")
        if self.units % self.block:
            raise ValueError(f"block: expected a divisor of {units} (units), got {block}")
        self._loop = build("timeloop", self.dtype.name)
        self._update = build("update", self.dtype.name)
        self._names = DIRECTIONS[direction]
        self._learned = direction == "both" and merge == "learned"
        self._workspace = Workspace()
        of_one = parameters.shapes(self.cell, self.inputs, self.units, self.block)
        self._spread = parameters.spread(self.cell, self.inputs, self.units, self.block)
        shapes = {f"{name}/{key}": shape for name in self._names for key, shape in of_one.items()}
        if self._learned:
            shapes |= {"merge/M": (2 * self.units, self.units), "merge/b": (self.units,)}
        sizes = [math.prod(shape) for shape in shapes.values()]
        *starts, self.size = itertools.accumulate(sizes, initial=0)
        self.shapes, self._offsets = shapes, dict(zip(shapes, starts))

    def __reduce__(self):
        return type(self), (self.cell.name, self.inputs, self.units, self.direction, self.merge, self.dtype.name, self.block)

    def view(self, theta):
        """Views into a flat vector of ``size`` numbers of either dtype, by name and with the shapes of ``shapes``."""
        theta = checks.fits("theta", theta, checks.FLOATS, (self.size,))
        return {name: theta[self._offsets[name]:self._offsets[name] + math.prod(shape)].reshape(shape)
                for name, shape in self.shapes.items()}

    def init(self, seed=0, scheme="uniform", forget_bias=1.0, chrono=None, prefix=""):
        """Draw parameters, each by its name: cells and directions that share a parameter's name and shape share its values.

        Parameters
        ----------
        seed : int, 0 or more
        scheme : str
            "uniform": all within +-1/sqrt(H) (within +-1/sqrt(2H) for the merge). "glorot": W, U, R and M within
            +-sqrt(6 / (fan-in + fan-out)), the rest 0 (Glorot & Bengio 2010). "orthogonal": as uniform, with each
            block of U a random orthogonal matrix. "identity": as uniform, with U the identity and b 0 (Le, Jaitly,
            Hinton 2015). The last two need a cell with U. A cell's own parameters start as its authors say (kernels/starts.py).
        forget_bias : float
            The bias of the gate that retains the state, with the sign that retains it: -forget_bias for gru's z. A cell
            without such a gate takes the default only.
        chrono : float, optional
            The longest expected dependency, T_max > 2. It sets the biases of the gates that retain to v = log u, u uniform in
            [1, T_max - 1], and of those that overwrite to -v (Tallec & Ollivier 2018), in place of forget_bias.
        prefix : str
            Stands before each parameter's name. Layers of one net need different ones ("layer1/"), or they start equal.

        Returns
        -------
        theta : (size,) array
        """
        seed = checks.whole("seed", seed, least=0)
        checks.choice("scheme", scheme, SCHEMES if self.cell.recurrent else SCHEMES_WITHOUT_U)
        if scheme == "identity" and self.block > 1:
            raise ValueError("scheme: expected another one than 'identity', for U of gates is not square with blocks of "
                             f"{self.block} cells")
        forget_bias = checks.number("forget_bias", forget_bias, dtype=self.dtype)
        if forget_bias != 1 and not self.cell.retains:
            raise ValueError(f"forget_bias: expected 1.0, for {self.cell.name} has no gate that retains, got {forget_bias!r}")
        if chrono is not None:
            chrono = checks.number("chrono", chrono)
            if not chrono > 2:
                raise ValueError(f"chrono: expected a longest dependency above 2, got {chrono!r}")
            if not self.cell.retains:
                raise ValueError(f"chrono: expected None, for {self.cell.name} has no gate that retains")
        if not isinstance(prefix, str):
            raise TypeError(f"prefix: expected a string, got {prefix!r}")
        theta = np.zeros(self.size, self.dtype)
        draw(self, {prefix + name: view for name, view in self.view(theta).items()}, seed, scheme, forget_bias, chrono)
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
            Initial states by name, (D, B, H); 0 where missing. D is 2 for "both", and direction 1 is the reverse one.
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
        x = checks.fits("x", x, (self.dtype,), ("T", "B", self.inputs))
        if len(x) > LONGEST:
            raise ValueError(f"x: expected T of at most {LONGEST}, got shape {x.shape}")
        x = checks.array("x", x, (self.dtype,), x.shape)
        T, B, _ = x.shape
        lengths = _lengths(lengths, T, B)
        states = self._states("state", state, B)
        if checkpoint is not None:
            checkpoint = checks.whole("checkpoint", checkpoint)
        span = T if tape and checkpoint is None else min(T, -(-(checkpoint or 1) // SEGMENT) * SEGMENT)
        record = Record(self, theta.copy(), x, lengths, span, available_threads(threads))
        try:
            y = self._outputs(record, states, keep=bool(tape))
        except BaseException:       # KeyboardInterrupt, too, leaves the workspace as it was
            record.release()
            raise
        if not tape:
            record.release()
        return SimpleNamespace(y=y, state=dict(zip(self.cell.states, states)), tape=Tape(record) if tape else None)

    def _recurrence(self, span, rows, reverse):
        """One direction of the layer, in the time loop, with a tape of up to `span` steps of `rows` rows."""
        return self._loop.Recurrence(self.cell.name, self.inputs, self.units, span, rows, reverse, self._spread)

    def stepper(self, theta, rows=1, state=None):
        """A kernels.stepper.Stepper: a forward pass over `rows` rows, one step a call, from the `state` that forward takes."""
        return Stepper(self, theta, rows, state)

    def _outputs(self, record, states, keep):
        """y; `states` (S, D, B, H) change from the initial to the final ones. `keep`: for a backward pass."""
        H, y = self.units, np.empty((*record.shape[:2], len(self._names) * self.units), self.dtype)
        for d, (name, recurrence) in enumerate(zip(self._names, record.recurrences)):
            recurrence.bind_output(y[..., d * H:(d + 1) * H])
            recurrence.pack(record.theta[self._offsets[f"{name}/W"]:], False)
        for i in range(len(record.segments)):
            if keep and len(record.segments) > 1:
                record.borders.append(states.copy())
            record.forward(i, states)
            for d, recurrence in enumerate(record.recurrences):
                recurrence.read_states(states[:, d])
        y = self._merged(record, y)
        for recurrence in record.recurrences:
            recurrence.bind_output(None)        # y is the caller's now: steps that backward computes again must not write to it
        return y

    def gates(self, tape):
        """Gate values {block: (D, T, B, H)} on a tape that has not been spent, 0 past a row's length.

        Raises RuntimeError where the tape has been spent, ValueError where it was made with a checkpoint below T.
        """
        record = self._own(tape)
        if len(record.segments) > 1:
            raise ValueError("tape: expected one made without checkpoint, which keeps all gates")
        alive = np.arange(record.shape[0])[:, None, None] < record.lengths[:, None]
        directions = []
        for recurrence in record.recurrences:
            block_step_row_group_lane = recurrence.gates().transpose(3, 0, 2, 1, 4)
            values = block_step_row_group_lane.reshape(*block_step_row_group_lane.shape[:3], -1)[..., :self.units]
            directions.append(np.where(alive, values, self.dtype.type(0)))
        record.refuse_spent()       # another thread may have begun a backward pass, which overwrites the gates
        return dict(zip(self.cell.blocks, np.stack(directions, axis=1)))

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
            peepholes. For cells with a state besides h and with such other paths.

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
        record = self._own(tape)
        T, B, _ = record.shape
        width = self.units * (2 if self.direction == "both" and self.merge == "concat" else 1)
        if dy is not None:
            dy, _pins = checks.pinned(checks.array("dy", dy, (self.dtype,), (T, B, width)))
        carry = self._states("dstate", dstate, B)
        checks.truncation(self.cell, truncated)
        theta = np.zeros(self.size, self.dtype)
        dx = [np.empty(record.shape, self.dtype) if inputs else None for _ in self._names]
        sizes = np.zeros((len(self._names), len(self.cell.states), T, B)) if norms else [None] * len(self._names)
        record.spend()
        try:
            dy = self._unmerged(record, dy, theta)
            for d, (name, recurrence) in enumerate(zip(self._names, record.recurrences)):
                offset = self._offsets[f"{name}/W"]
                column = d * self.units if dy is not None and dy.shape[2] > self.units else 0
                recurrence.bind_gradients(dy=None if dy is None else dy[..., column:column + self.units], dx=dx[d],
                                          norms=sizes[d], grad=theta[offset:], truncated=truncated)
                recurrence.pack(record.theta[offset:], True)
                recurrence.write_carry(carry[:, d])
            for i in reversed(range(len(record.segments))):
                if i + 1 < len(record.segments):
                    record.forward(i, record.borders[i])
                record.backward(record.recurrences, record.steps(i))
            for d, (name, recurrence) in enumerate(zip(self._names, record.recurrences)):
                recurrence.read_carry(carry[:, d])
                recurrence.fold(record.theta[self._offsets[f"{name}/W"]:], theta[self._offsets[f"{name}/W"]:])
        finally:
            record.release()
        if inputs and len(dx) == 2:
            self._update.add(dx[0].reshape(-1), dx[1].reshape(-1))
        names = self.cell.states
        return SimpleNamespace(
            theta=theta, x=dx[0], state=dict(zip(names, carry)),
            norms={name: sizes[:, s] for s, name in enumerate(names)} if norms else None)

    def _own(self, tape):
        """What an unspent tape of this layer holds."""
        if not isinstance(tape, Tape):
            raise TypeError(f"tape: expected the tape of a forward pass, got {type(tape).__name__}")
        record = tape._record
        if record.layer is not self:
            raise ValueError("tape: expected one that this layer made, got another layer's")
        record.refuse_spent()
        return record

    def _states(self, argument, given, B):
        """(S, D, B, H) from {name: (D, B, H)}, with 0 for what is missing."""
        shape = (len(self._names), B, self.units)
        states = np.zeros((len(self.cell.states), *shape), self.dtype)
        if not (given is None or isinstance(given, dict)):
            raise TypeError(f"{argument}: expected a dict of arrays by state, got {type(given).__name__}")
        for key, value in (given or {}).items():
            checks.choice(argument, key, self.cell.states)
            states[self.cell.states.index(key)] = checks.array(f"{argument}[{key!r}]", value, (self.dtype,), shape)
        return states

    def _merged(self, record, y):
        """The layer's y from that of both directions, (T, B, 2H)."""
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
        record.merge = record.placed(self._loop.Recurrence(MERGE, y.shape[2], H, record.span, y.shape[1], False), y)
        record.merge.bind_output(merged)
        record.merge.pack(record.theta[self._offsets["merge/M"]:], False)
        for segment in record.segments:
            record.merge.begin(*segment)
            for recurrences, ranges in record.calls([record.merge], [segment], False):
                self._loop.forward(recurrences, ranges, record.threads)
        return merged

    def _unmerged(self, record, dy, grad):
        """The gradient with respect to y of both directions; the learned merge's own is added to grad."""
        if dy is None or self.direction != "both" or self.merge in ("concat", "sum"):
            return dy
        T, B, H = dy.shape
        if self.merge == "mean":
            half = dy.flatten()
            self._update.scale(half, 0.5)
            return half.reshape(T, B, H)
        both = np.empty((T, B, 2 * H), self.dtype)
        offset = self._offsets["merge/M"]
        record.merge.bind_gradients(dy=dy, dx=both, norms=None, grad=grad[offset:], truncated=False)
        record.merge.pack(record.theta[offset:], True)
        record.merge.write_carry(np.zeros((1, B, H), self.dtype))
        for segment in reversed(record.segments):
            record.merge.begin(*segment)
            record.backward([record.merge], [segment])
        return both


def _lengths(lengths, T, B):
    """(B,) int32, T where missing."""
    if lengths is None:
        return np.full(B, T, np.int32)
    lengths = checks.integers("lengths", lengths, (B,)).copy()      # another thread may change the caller's after the check
    steps = lengths.tolist()
    shortest, longest = min(steps), max(steps)
    if shortest < 1 or longest > T:
        raise ValueError(f"lengths: expected integers in 1..{T} (T), got {shortest if shortest < 1 else longest}")
    return np.array(steps, np.int32)        # of the numbers checked: another thread may have changed the array
