"""All-reduce of float32 by PyTorch's gloo, one process a member, over loopback; prints a JSON list on the last line."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

WARM_ROUNDS = 5


def timed_rounds(vector, rounds):
    """Milliseconds of each round, as long as the slowest member took."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        dist.all_reduce(vector)
        times.append((time.perf_counter() - start) * 1000)
    slowest = torch.tensor(times)
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    return slowest.tolist()


def member(rank, members, options, queue):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(29500 + members))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=members)
    for megabytes in options["megabytes"]:
        vector = torch.ones(int(megabytes * 1e6 / 4)) / 1e9
        warm = timed_rounds(vector, WARM_ROUNDS)
        rounds = max(3, int(options["seconds"] * 1000 / (sum(warm) / WARM_ROUNDS)) + 1)
        milliseconds = timed_rounds(vector, rounds)
        if rank == 0:
            queue.put({"members": members, "megabytes": megabytes, "milliseconds": milliseconds})
    dist.destroy_process_group()


def main():
    options = json.loads(sys.argv[1])
    results = []
    for members in options["members"]:
        queue = mp.get_context("spawn").SimpleQueue()
        context = mp.spawn(member, args=(members, options, queue), nprocs=members, join=False)
        # A pipe holds 64 KiB: taken while the members run, or they would wait for ever.
        results.extend(queue.get() for _ in options["megabytes"])
        while not context.join():
            pass
    print(json.dumps(results))


if __name__ == "__main__":
    main()
