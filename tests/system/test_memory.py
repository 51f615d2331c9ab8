"""Memory that is freed and asked for again is not fetched from the operating system again."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from cnn_gap.system.memory import keep_freed_memory

def page_faults():
    for _ in range(3):
        np.ones(2**23)  # 64 MiB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(page_faults(), keep_freed_memory(), page_faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is of the GNU C library")
def test_freed_memory_is_used_again_without_page_faults():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, was_set, after = result.stdout.split()
    assert was_set == "True"
    assert int(after) < int(before) / 4
