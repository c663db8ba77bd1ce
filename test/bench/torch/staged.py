"""Staged fine-tuning as PyTorch's guides have it, with DistributedDataParallel over gloo: freeze, train the head, thaw,
train on. Usage: staged.py OPTIONS.json; prints {accuracy, stageSeconds, loss} as JSON on the last line."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler
from torchvision import datasets, transforms

from networks import Network


def loader(options, name, rank):
    size = options["size"]
    pixels = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])
    data = datasets.ImageFolder(os.path.join(options["pictures"], name), pixels)
    training = name == "train"
    sampler = DistributedSampler(data, options["processes"], rank, shuffle=training, seed=7)
    batch = options["batch"] // options["processes"] if training else 32
    workers = options["workers"]
    # Forked, as torchrun's processes do it: spawned ones would load PyTorch anew.
    context = {"multiprocessing_context": "fork", "persistent_workers": True} if workers else {}
    return DataLoader(data, batch, sampler=sampler, num_workers=workers, **context)


def train_stage(network, stage, loaders, rank):
    network.thaw(stage["blocks"])
    model = DistributedDataParallel(network, broadcast_buffers=False)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], stage["learningRate"], eps=1e-7)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(stage["epochs"]):
        loaders["train"].sampler.set_epoch(epoch)
        network.train()
        for pixels, labels in loaders["train"]:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            loss_of(model(network.prefix(pixels)), labels).backward()
            optimizer.step()
        accuracy, loss = evaluate(network, loaders["validation"])
        if rank == 0:
            print(f"epoch {epoch + 1}: accuracy {accuracy:.3f}, loss {loss:.3f}", file=sys.stderr, flush=True)


@torch.no_grad()
def evaluate(network, batches):
    network.eval()
    sums = torch.zeros(3, dtype=torch.float64)
    for pixels, labels in batches:
        logits = network(network.prefix(pixels.contiguous(memory_format=torch.channels_last)))
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
        sums += torch.tensor([(logits.argmax(1) == labels).sum(), loss, len(labels)], dtype=torch.float64)
    dist.all_reduce(sums)
    return (sums[0] / sums[2]).item(), (sums[1] / sums[2]).item()


def process(rank, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(options["port"]))
    torch.set_num_threads(1)
    torch.manual_seed(7)
    dist.init_process_group("gloo", rank=rank, world_size=options["processes"])
    network = Network(options["network"], options["classes"], options["weights"])
    network.to(memory_format=torch.channels_last)
    loaders = {name: loader(options, name, rank) for name in ("train", "validation", "test")}
    seconds = []
    for stage in options["stages"]:
        start = time.perf_counter()
        train_stage(network, stage, loaders, rank)
        seconds.append(time.perf_counter() - start)
    accuracy, loss = evaluate(network, loaders["test"])
    if rank == 0:
        print(json.dumps({"accuracy": accuracy, "loss": loss, "stageSeconds": seconds, "version": torch.__version__}))
    dist.destroy_process_group()


if __name__ == "__main__":
    given = json.load(open(sys.argv[1]))
    mp.spawn(process, args=(given,), nprocs=given["processes"])
