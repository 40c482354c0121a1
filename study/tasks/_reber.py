"""The embedded Reber grammar, as a table of states.

A string is B, then T or P, then an inner string, then the same T or P, then E. An inner string is B, then a way through the
automaton of Reber 1967, then E. From state to state, each branch with probability 1/2:

| state | 0 | 1 | 2 | 3 | 4 |
|---|---|---|---|---|---|
| | T 1, P 2 | S 1, X 3 | T 2, V 4 | X 2, S 5 | P 3, V 5 |

State 5 is the end. The shortest string has 9 symbols, the mean string 12.
"""

import numpy as np

SYMBOLS = "BTPSXVE"
INNER = (("T1", "P2"), ("S1", "X3"), ("T2", "V4"), ("X2", "S5"), ("P3", "V5"))
START, OUTER, END = 0, 8, 18  # state 1 chooses T or P, with the states 2..9 for T and 10..17 for P; END: only E may come


def _table():
    """[((symbol, next state) for either bit)] of each state."""
    states = [(("B", 1),) * 2, (("T", 2), ("P", 2 + OUTER))]
    for first, outer in ((2, "T"), (2 + OUTER, "P")):
        states.append((("B", first + 1),) * 2)
        states += [tuple((move[0], first + 1 + int(move[1])) for move in moves) for moves in INNER]
        states += [(("E", first + 7),) * 2, ((outer, END),) * 2]
    return [*states, (("E", START),) * 2]


SYMBOL = np.array([[SYMBOLS.index(symbol) for symbol, _ in moves] for moves in _table()], np.uint8)
NEXT = np.array([[state for _, state in moves] for moves in _table()], np.uint8)
LEGAL = (SYMBOL[:, :, None] == np.arange(len(SYMBOLS))).any(axis=1)


STATES = len(NEXT)


def _of_bytes():
    """(moves, state after them) of each byte of bits, the highest first, from each state: (256 STATES, 8) and (256 STATES,).

    A move is 2 state + bit; the row of a byte and a state is STATES byte + state.
    """
    state, moves = np.tile(np.arange(STATES), 256), []
    for bit in np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).repeat(STATES, axis=0).T:
        moves.append(2 * state + bit)
        state = NEXT.ravel()[moves[-1]]
    return np.stack(moves, axis=1).astype(np.uint8), state.astype(np.int64)


MOVES, AFTER = _of_bytes()


def walk(words, n):
    """Strings one after another without end: n symbols and the states before them, both (n, B), from words (B, bits_for(n))."""
    drawn = STATES * words.copy().view(np.uint8)[:, : -(-n // 8)].T.astype(np.int64)
    state = np.full(len(words), START)
    for row in drawn:  # eight symbols at a time
        row += state
        state = AFTER.take(row)
    moves = MOVES[drawn].transpose(0, 2, 1).reshape(-1, len(words))[:n]
    return SYMBOL.ravel()[moves], moves >> 1
