"""Steps from decoded pixels to updated weights, DistributedDataParallel over gloo, one thread a process, pixels in the
memory format channels_last. Usage: steps.py OPTIONS.json; prints {prefix, rest: milliseconds of every step as long as the
slower process took, version} as JSON on the last line."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from networks import Network


def process(rank, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(options["port"]))
    torch.set_num_threads(1)
    torch.manual_seed(rank)
    dist.init_process_group("gloo", rank=rank, world_size=options["processes"])
    network = Network(options["network"], options["classes"], options["weights"])
    network.to(memory_format=torch.channels_last)
    network.thaw(options["blocks"])
    network.train()
    model = DistributedDataParallel(network, broadcast_buffers=False)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 1e-4, eps=1e-7)
    size, batch = options["size"], options["microBatch"]
    decoded = torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8)
    labels = torch.randint(0, options["classes"], (batch,))
    times = []
    for _ in range(options["warmSteps"] + options["steps"]):
        dist.barrier()
        start = time.perf_counter()
        # Bytes by channel last already are what channels_last asks for.
        features = network.prefix(decoded.permute(0, 3, 1, 2).float() / 255)
        middle = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(features), labels).backward()
        optimizer.step()
        times.append([(middle - start) * 1000, (time.perf_counter() - middle) * 1000])
    slower = torch.tensor(times[options["warmSteps"] :])
    dist.all_reduce(slower, op=dist.ReduceOp.MAX)
    if rank == 0:
        prefix, rest = slower.T.tolist()
        print(json.dumps({"prefix": prefix, "rest": rest, "version": torch.__version__}))
    dist.destroy_process_group()


if __name__ == "__main__":
    given = json.load(open(sys.argv[1]))
    mp.spawn(process, args=(given,), nprocs=given["processes"])
