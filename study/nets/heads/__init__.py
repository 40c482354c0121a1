"""Heads: from the states of the last layer to outputs at the places of the answers.

A file of this folder is a head, by the name of the file, and defines the class `Head`, a study.nets.module.Module:
`Head(inputs, outputs, made_of, dtype)` with the net's study.nets.architecture.Architecture; forward takes y (T, B, inputs) to
outputs (P, outputs), one row for each answer of the batch in the order of the batch.
"""

import importlib
import pkgutil

HEADS = {file.name: importlib.import_module(f"{__name__}.{file.name}").Head for file in pkgutil.iter_modules(__path__)}
