"""What torchvision's ResNet50 computes, for resnet50.test.ts to compare with. Needs torch and torchvision, the tests do not.

Usage: resnet50.py > resnet50.golden.json. Weights and pictures come from uniform(), which the test has too, so that only
outputs have to be kept: for the stem and every block, some values at places that both sides know.
"""

import json
import sys
import zlib

import numpy as np
import torch
import torchvision

SIZES = [(64, 96), (75, 61)]
PICTURES = 2
SAMPLES = 24
STEP = 7919


def uniform(name, count):
    """In 0..1, by name and place: MurmurHash3's finalizer over a counter."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + zlib.crc32(name.encode())).astype(np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> np.uint32(shift)
        x = (x.astype(np.uint64) * factor).astype(np.uint32)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**32


def value(name, shape):
    low, high = -0.3, 0.3
    if len(shape) == 4:
        high = np.sqrt(6 / np.prod(shape[1:]))
        low = -high
    elif name.endswith(("running_var", "weight")):
        low, high = 0.5, 1.5
    values = low + (high - low) * uniform(name, int(np.prod(shape)))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def settings(model):
    """What is not among the weights."""
    convolutions = {
        name: [list(layer.stride), list(layer.padding), layer.bias is not None]
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Conv2d)
    }
    epsilons = {layer.eps for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)}
    return {"convolutions": convolutions, "epsilons": sorted(epsilons)}


def sampled(output):
    flat = output.flatten()
    places = [(place * STEP) % len(flat) for place in range(SAMPLES)]
    return {"deviation": float(flat.std()), "values": [float(flat[place]) for place in places]}


def outputs(model, height, width):
    shape = (PICTURES, 3, height, width)
    pictures = torch.from_numpy((4 * uniform("pictures", int(np.prod(shape))) - 2).astype(np.float32).reshape(shape))
    found = {}
    x = model.maxpool(model.relu(model.bn1(model.conv1(pictures.double()))))
    found["maxpool"] = sampled(x)
    for name in ("layer1", "layer2", "layer3", "layer4"):
        for index, block in enumerate(getattr(model, name)):
            x = block(x)
            found[f"{name}.{index}"] = sampled(x)
    return {"height": height, "width": width, "outputs": found}


model = torchvision.models.resnet50(weights=None).eval()
state = {name: value(name, tensor.shape) if tensor.is_floating_point() else tensor for name, tensor in model.state_dict().items()}
model.load_state_dict(state)
model.double()
with torch.no_grad():
    cases = [outputs(model, height, width) for height, width in SIZES]
made = f"torch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}"
shapes = {name: [str(tensor.dtype).replace("torch.", ""), *tensor.shape] for name, tensor in state.items()}
json.dump({"made": made, "shapes": shapes, "settings": settings(model), "cases": cases}, sys.stdout)
print()
