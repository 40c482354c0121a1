"""Losses of the outputs at the P places where a batch has an answer.

A file of this folder is a loss, by the name of the file, and has

- `KINDS`: which targets it compares with, of "class", "number" and "binary" as in study.tasks.Task;
- `loss(o, target)`, which takes the outputs o (P, K) of the head and the targets, and gives the loss of each answer (P,), what
  the net answers (P, K), and the gradient (P, K) of the mean loss over all answers with respect to o.
"""

import importlib
import pkgutil

LOSSES = {file.name: importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)}
