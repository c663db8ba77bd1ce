"""All-reduce of float32 by PyTorch's gloo, one process a member, over loopback; prints a JSON list on the last line."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def member(rank, members, options, queue):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(29500 + members))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=members)
    for megabytes in options["megabytes"]:
        vector = torch.ones(int(megabytes * 1e6 / 4)) / 1e9
        rounds = 5
        for measured in (False, True):
            dist.barrier()
            start = time.perf_counter()
            for _ in range(rounds):
                dist.all_reduce(vector)
            seconds = torch.tensor([time.perf_counter() - start])
            dist.all_reduce(seconds, op=dist.ReduceOp.MAX)
            if measured and rank == 0:
                rate = rounds * megabytes * 1e6 / 1e9 / seconds.item()
                queue.put({"members": members, "megabytes": megabytes, "gigabytesPerSecond": rate})
            rounds = max(3, int(options["seconds"] / (seconds.item() / rounds)) + 1)
    dist.destroy_process_group()


def main():
    options = json.loads(sys.argv[1])
    results = []
    for members in options["members"]:
        queue = mp.get_context("spawn").SimpleQueue()
        mp.spawn(member, args=(members, options, queue), nprocs=members)
        while not queue.empty():
            results.append(queue.get())
    print(json.dumps(results))


if __name__ == "__main__":
    main()
