"""What all tests share: reproducible random numbers and a hypothesis profile that does not depend on the clock."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import autograd

settings.register_profile("repository", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repository")

# Tests of processes read their stderr, which tells when kernels are compiled for the first time.
os.environ["JITGRAD_QUIET"] = "1"

# Tests run in several processes at once, and threads that wait for cores are slow; tests/test_threads.py sets its own.
autograd.set_num_threads(1)


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    autograd.manual_seed(0)
    np.random.seed(0)
    yield
    assert autograd.is_grad_enabled(), "a test left recording switched off"
    assert autograd.get_default_dtype() == autograd.float32, "a test left another default dtype"
