"""VGG16 and MobileNetV2 as Keras has them, in PyTorch, layer by layer under Keras' names, so that both sides start from
the same weights and thaw the same layers. Normalisations stay in inference mode, as in Thaw's default."""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

CAFFE_MEAN = [103.939, 116.779, 123.68]


class Caffe(nn.Module):
    """0..1 rgb to bgr minus the mean of ImageNet."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(CAFFE_MEAN).view(1, 3, 1, 1))

    def forward(self, x):
        return x.flip(1) * 255 - self.mean


class SamePad(nn.Module):
    """What Keras pads before a 3 x 3 convolution of stride 2."""

    def forward(self, x):
        before = x.shape[-1] % 2
        return F.pad(x, (before, 1, before, 1))


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


def vgg16():
    """Blocks by name, from the input on."""
    blocks, channels = {"input": nn.Sequential(Caffe())}, 3
    for number, (filters, count) in enumerate(zip([64, 128, 256, 512, 512], [2, 2, 3, 3, 3]), 1):
        block = nn.Sequential()
        for i in range(1, count + 1):
            block.add_module(f"block{number}_conv{i}", nn.Conv2d(channels, filters, 3, padding=1))
            block.add_module(f"relu{i}", nn.ReLU())
            channels = filters
        block.add_module("pool", nn.MaxPool2d(2))
        blocks[f"block{number}"] = block
    return blocks, channels


def mobilenet_v2():
    stem = nn.Sequential(SamePad())
    convolution(stem, "Conv1", (3, 32, 3), bn="bn_Conv1", stride=2)
    blocks, channels = {"Conv1": stem}, 32
    layout = [(16, 1)] + [(24, s) for s in (2, 1)] + [(32, s) for s in (2, 1, 1)] + [(64, s) for s in (2, 1, 1, 1)]
    layout += [(96, 1)] * 3 + [(160, s) for s in (2, 1, 1)] + [(320, 1)]
    for number, (filters, stride) in enumerate(layout):
        name = f"block_{number}" if number else "expanded_conv"
        body, inner = nn.Sequential(), 6 * channels if number else channels
        if number:
            convolution(body, f"{name}_expand", (channels, inner, 1))
        if stride == 2:
            body.add_module("pad", SamePad())
        convolution(body, f"{name}_depthwise", (inner, inner, 3), stride=stride, groups=inner)
        convolution(body, f"{name}_project", (inner, filters, 1), activation=False)
        blocks[name] = Residual(body) if stride == 1 and channels == filters else body
        channels = filters
    last = nn.Sequential()
    convolution(last, "Conv_1", (channels, 1280, 1), bn="Conv_1_bn")
    blocks["Conv_1"] = last
    return blocks, 1280


def convolution(into, name, shape, bn=None, stride=1, groups=1, activation=True):
    inputs, outputs, kernel = shape
    padding = kernel // 2 if stride == 1 else 0
    into.add_module(name, nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False))
    into.add_module(bn or f"{name}_BN", nn.BatchNorm2d(outputs, eps=1e-3))
    if activation:
        into.add_module(f"{name}_relu", nn.ReLU6())


class Network(nn.Module):
    """The first blocks frozen, the others and the head trained: `forward` takes what `prefix` gives."""

    def __init__(self, name, classes, weights):
        super().__init__()
        blocks, channels = {"vgg16": vgg16, "mobilenetV2": mobilenet_v2}[name]()
        self.blocks = nn.ModuleDict(blocks)
        self.output = nn.Linear(channels, classes)
        self.frozen = len(blocks)
        set_weights(self, load_file(weights))

    def thaw(self, names):
        """Trains these blocks and the head. The frozen ones all lie before the first that trains."""
        order = list(self.blocks)
        self.frozen = min([order.index(name) for name in names], default=len(order))
        self.requires_grad_(False)
        for module in [self.output, *(self.blocks[name] for name in names)]:
            module.requires_grad_(True)

    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    @torch.no_grad()
    def prefix(self, x):
        for block in list(self.blocks.values())[: self.frozen]:
            x = block(x)
        return x

    def forward(self, x):
        for block in list(self.blocks.values())[self.frozen :]:
            x = block(x)
        return self.output(x.mean((2, 3)))


def set_weights(network, stored):
    layers = {name.rsplit(".", 1)[-1]: module for name, module in network.named_modules()}
    left = set(stored)
    for name, value in stored.items():
        layer, kind = name.removeprefix("backbone/").removeprefix("head/").rsplit("/", 1)
        module, value = layers[layer], in_torch_layout(layers[layer], value, kind)
        target = {"gamma": "weight", "kernel": "weight", "depthwise_kernel": "weight", "beta": "bias", "bias": "bias",
                  "moving_mean": "running_mean", "moving_variance": "running_var"}[kind]
        getattr(module, target).data.copy_(value)
        left.remove(name)
    assert not left, left
    wanted = sum(p.numel() for p in network.parameters()) + sum(
        b.numel() for n, b in network.named_buffers() if "running" in n)
    assert wanted == sum(value.numel() for value in stored.values()), "weights are missing"


def in_torch_layout(module, value, kind):
    if "kernel" not in kind:
        return value
    if isinstance(module, nn.Linear):
        return value.T
    return value.permute(2, 3, 0, 1) if module.groups > 1 else value.permute(3, 2, 0, 1)
