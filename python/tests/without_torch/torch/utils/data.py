"""The classes of data sets, and no worker."""


class Dataset:
    pass


class IterableDataset(Dataset):
    pass


def get_worker_info():
    return None
