"""Tests import each other's helpers by plain name, and `kernels` and `study` from the tree they stand in."""
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]


@pytest.fixture
def call(capfd, monkeypatch):
    """call(arguments) -> (exit code, stdout, stderr) of a command with toy work, in this process."""
    import toy
    from study import __main__ as commands

    monkeypatch.setattr(commands, "write_report", "a report on {}".format)
    monkeypatch.setattr(commands, "train", toy.work)

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            commands.main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return end.value.code, out, err

    return call


@pytest.fixture
def ran(tmp_path, call):
    """A toy study that was run: (its file, its out folder, its preset's folder)."""
    import toy

    path, out = toy.study_file(tmp_path), tmp_path / "out"
    assert call("run", path, "--out", out)[0] == 0
    return path, out, out / "toy" / "default"
