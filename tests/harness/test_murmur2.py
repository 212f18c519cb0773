# SPDX-License-Identifier: Apache-2.0
"""The vectors of Kafka's own test (UtilsTest.testMurmur2)."""

import pytest

from support.murmur2 import murmur2


@pytest.mark.quick
@pytest.mark.parametrize(
    "data, hashed",
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_vectors(data, hashed):
    assert murmur2(data) == hashed & 0xFFFFFFFF
