"""Packed rows come back as they were put in."""

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.monitoring import packing

float32s = st.one_of(st.none(), st.floats(width=32, allow_infinity=False, allow_nan=False))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(float32s, max_size=60))
def test_float32_values_come_back_exactly_and_none_as_nan(values):
    found = packing.unpack(packing.pack(values))
    assert len(found) == len(values)
    for given_value, read in zip(values, found.tolist(), strict=True):
        assert math.isnan(read) if given_value is None else read == given_value


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(allow_infinity=False, allow_nan=False)), max_size=60))
def test_exact_values_come_back_as_the_same_double(values):
    found = packing.unpack(packing.pack_exactly(values)).tolist()
    assert [None if math.isnan(one) else one for one in found] == values


def test_what_does_not_fit_into_a_float32_is_not_measured():
    found = packing.unpack(packing.pack([1e39, -1e39, math.inf, 3.0]))
    assert np.isnan(found[:3]).all()
    assert found[3] == 3.0


def test_the_format_is_the_documented_one():
    packed = packing.pack([1.5, None])
    first, second = struct.pack("<f", 1.5), struct.pack("<f", math.nan)
    assert packed[0] == 1
    assert zlib.decompress(packed[1:]) == bytes(b for pair in zip(first, second, strict=True) for b in pair)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(float32s, min_size=1, max_size=50), st.integers(min_value=0, max_value=10_000))
def test_a_row_that_was_cut_off_is_refused(values, cut):
    packed = packing.pack(values)
    with pytest.raises(ValueError, match="not a packed row"):
        packing.unpack(packed[: cut % len(packed)])


@pytest.mark.parametrize(("value", "shown"), [(24.2, 24.2), (0.1, 0.1), (100.0, 100.0), (math.nan, None)])
def test_a_float32_is_shown_as_the_shortest_number_that_means_it(value, shown):
    assert packing.shortest(float(np.float32(value))) == shown
