"""scripts/sanitize at small size: the address sanitizer on the smallest module that gets pointers from Python."""

import json

import pytest
import sanitizers

import kernels


@pytest.fixture(scope="module")
def build():
    if not sanitizers.library(sanitizers.ADDRESS):
        pytest.skip("the compiler has no address sanitizer")
    return sanitizers.build(sanitizers.ADDRESS, kernels.isa(), "update")


def test_an_array_that_is_too_short_is_reported(build):
    code, _, said = sanitizers.run(build, "tests/fuzz.py", "theta_too_short")
    assert code and "heap-buffer-overflow" in said and sanitizers.reported(said), said


def test_random_calls_are_not(build):
    code, out, said = sanitizers.run(build, "tests/fuzz.py", 100, 0, 20)
    assert code == 0 and not sanitizers.reported(said), said
    assert json.loads(out)["cases"] == 20 and json.loads(out)["calls"] > 100
