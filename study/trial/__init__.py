"""One trial.

- `knobs.py`: Trial, all knobs with their meaning and bounds, and the id that they give.
- `meaning.py`: their values in words, for `list`.
- `run.py`: from a Trial to its Result, by the trial's method: with `train.py`, `guess.py` or study.probes.
- `result.py`: Result.
- `streams.py`: where a trial's sequences come from.
- `curve.py`: the learning curve.
- `evaluate.py`: test sequences.
"""
