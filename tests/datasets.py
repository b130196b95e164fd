"""Datasets for worker processes, which import this file: it must not load PyTorch."""

import numpy as np

from autograd.utils.data import Dataset, IterableDataset, get_worker_info


class Squares(Dataset):
    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        if i == 7 and self.count == 8:
            raise ZeroDivisionError("sample 7 is bad")
        return np.float32(i * i), {"index": i}


class Stream(IterableDataset):
    def __init__(self, count=10):
        self.count = count

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.count, step))

    def __len__(self):
        return self.count
