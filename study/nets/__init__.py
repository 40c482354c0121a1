"""What a net is made of. Letters: T steps, B rows (sequences of a batch), I inputs, H units, K outputs, P answers.

A net is one flat vector of weights and a list of modules, each owning a named slice of the vector. The forward pass goes
through the modules in order, from x (T, B, I) to outputs (P, K) at the P places where the batch has an answer; a loss compares
these with the targets; the backward pass goes through the modules in reverse.

- `module.py`: the contract that every module keeps.
- `embedding.py`, `recurrent.py`, `upper.py`, `grid.py`: modules between x and the head.
- `heads/`: one file a head, which turns the states of the last layer into outputs.
- `losses/`: one file a loss.
- `initialisation.py`: families of initial weights.
- `net.py`: a task's net, put together from these.
"""
