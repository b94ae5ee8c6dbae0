"""Where a sweep computes: a cluster that exists, or one on this machine that starts by itself."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dask
from dask.system import CPU_COUNT

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.sweeps.threads import environment

if TYPE_CHECKING:
    from distributed import Client

#: Address of a scheduler, where no one says it in code; Dask's own DASK_SCHEDULER_ADDRESS is read next.
VARIABLE = "QFL_EXPLORE_SCHEDULER"
#: ``processes``: a process for each core; ``threads``: threads of this process.
KINDS = ("processes", "threads")

_own: dict[tuple[str, int], Client] = {}
_lock = threading.Lock()


def scheduler_address() -> str:
    """From the environment or ``dask.config``; empty where neither names a scheduler."""
    return os.environ.get(VARIABLE) or dask.config.get("scheduler-address", None) or ""


@contextlib.contextmanager
def connect(
    client: Client | str | None = None, kind: str = "processes", n_workers: int | None = None
) -> Iterator[Client]:
    """A client to compute with.

    It is, in this order: the one that is given; one for the address that is given; one for
    `scheduler_address`; one that the caller has opened before (Dask's default); or that of a
    cluster on this machine, which starts by itself and stays for the next sweep.

    Args:
        client: a client, an address, or ``None``.
        kind: one of ``KINDS``; of the cluster on this machine.
        n_workers: of that cluster; ``None``: one for each core.

    Raises:
        ValueError: the scheduler cannot be reached.
    """
    check_option("kind", kind, KINDS)
    if client is not None and not isinstance(client, str):
        yield client
        return
    address = client or scheduler_address()
    if address:
        with _reach(address) as reached:
            yield reached
        return
    yield _default_client() or local_client(kind, n_workers)


def _reach(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, set_as_default=False, name="qfl-explore")
    except (OSError, ValueError, TimeoutError) as error:
        expected = "the address of a running Dask scheduler, for example 'tcp://host:8786'"
        raise invalid("the scheduler cannot be reached", expected, f"{address!r}: {error}") from error


def _default_client() -> Client | None:
    from distributed import default_client

    try:
        found = default_client()
    except ValueError:
        return None
    return None if found.asynchronous else found


def local_client(kind: str = "processes", n_workers: int | None = None) -> Client:
    """The client of this process's own cluster; it starts at the first call and ends with the process.

    Args:
        kind: ``processes`` (each worker has one core's threads and its share of the memory, and
            is started anew if it dies) or ``threads`` (starts at once; for engines that release
            the GIL and circuits large enough for that to matter).
        n_workers: ``None``: one for each core.
    """
    n_workers = CPU_COUNT if n_workers is None else check_int("n_workers", n_workers, 1, 1024)
    with _lock:
        found = _own.get((kind, n_workers))
        if found is None or found.status != "running":
            found = _own[kind, n_workers] = start(check_option("kind", kind, KINDS), n_workers)
        return found


def start(kind: str, n_workers: int, **options: Any) -> Client:
    """Starts a cluster on this machine.

    Args:
        kind: one of ``KINDS``.
        n_workers: processes, or threads.
        **options: further ones of `distributed.LocalCluster`, for example ``memory_limit``.
    """
    import logging

    from distributed import Client, LocalCluster

    shape: dict[str, Any] = {"n_workers": n_workers, "threads_per_worker": 1, "processes": True}
    if kind == "threads":
        shape = {"n_workers": 1, "threads_per_worker": n_workers, "processes": False, "memory_limit": 0}
    # A worker's death is the batch's at once: the sweep itself finds out which task is to blame.
    settings = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.nanny.pre-spawn-environ": environment(1),
        "distributed.comm.timeouts.connect": "60s",
        "distributed.worker.profile.enabled": False,  # samples a hundred times a second
        "distributed.admin.tick.interval": "200ms",
        "distributed.worker.preload": ["qfl_explore.sweeps.signals"],
    }
    same = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL, "host": "127.0.0.1"}
    if kind == "threads":
        same.pop("host")
    _leave_main_alone()
    # `silence_logs` ends before the cluster does, and does not reach a handler of the root logger, as servers have
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(settings):
        cluster = LocalCluster(**(shape | same | options))
        client = Client(cluster, set_as_default=False, name="qfl-explore")
    cluster.wanted = shape["n_workers"]
    atexit.register(_close, client)
    return client


def repair(client: Client) -> None:
    """Starts workers that Dask has given up, in a cluster of ours.

    A worker that takes more than 15 s to come back (a busy machine) is forgotten by its cluster.
    """
    own = getattr(client, "cluster", None)
    if len(getattr(own, "workers", ())) < getattr(own, "wanted", 0):
        own.scale(own.wanted)


def _leave_main_alone() -> None:
    """Lets Dask's workers start without running the caller's script again.

    Python's ``spawn`` imports ``__main__`` in every new process, so a script without
    ``if __name__ == "__main__":`` would begin its sweep once more in each of its workers. They
    need nothing from there: what is defined in a script or notebook travels by value.
    """
    from multiprocessing import spawn

    original = spawn.get_preparation_data
    if getattr(original, "leaves_main_alone", False):
        return

    def prepared(name: str) -> dict[str, Any]:
        data = original(name)
        if name.startswith("Dask Worker process"):
            data.pop("init_main_from_path", None)
            data.pop("init_main_from_name", None)
        return data

    prepared.leaves_main_alone = True  # type: ignore[attr-defined]
    spawn.get_preparation_data = prepared


def shutdown() -> None:
    """Ends this process's own clusters; the next sweep starts one again."""
    with _lock:
        clients = list(_own.values())
        _own.clear()
    for client in clients:
        _close(client)


def _close(client: Client) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=5)
        client.cluster.close(timeout=5)


def dashboard_link(client: Client) -> str:
    """Of Dask's own dashboard; empty where there is none."""
    with contextlib.suppress(AttributeError, KeyError, TypeError, OSError, ValueError):
        port = client.scheduler_info(n_workers=0)["services"]["dashboard"]
        return f"http://127.0.0.1:{port}/status" if client in _own.values() else client.dashboard_link or ""
    return ""
