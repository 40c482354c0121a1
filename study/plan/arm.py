"""An arm: the trials that differ in gap and seed alone. Figures, tables and progress compare arms.

Where learning rates are tuned for each gap, `lr` differs with the gap, too.
"""

from operator import attrgetter

from study.trial.knobs import KNOBS

WITHIN_ARM = ("gap", "seed")
ARM = tuple(knob for knob in KNOBS if knob not in WITHIN_ARM)
"""The knobs that all trials of an arm share."""

arm_of = attrgetter(*ARM)
"""Trial -> its values of ARM, the key of its arm."""
