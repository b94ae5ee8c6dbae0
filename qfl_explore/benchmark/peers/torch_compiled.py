"""PyTorch compiled: real and imaginary parts apart, as `torch.compile` fails on complex numbers here."""

from __future__ import annotations

import os

os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # the first result is to be a first one

import numpy as np
import torch
from _dense import blocks, entangler_signs, n_threads


def version() -> str:
    return "torch " + torch.__version__


def _su2(angles):
    """RZ·RY·RX as real and imaginary part."""
    c, s = torch.cos(angles / 2), torch.sin(angles / 2)
    a, b = c[..., 1] * c[..., 0], s[..., 1] * s[..., 0]
    d, f = s[..., 1] * c[..., 0], c[..., 1] * s[..., 0]
    x, y = c[..., 2], s[..., 2]
    re = torch.stack([x * a + y * b, -x * d - y * f, x * d + y * f, x * a + y * b], -1)
    im = torch.stack([x * b - y * a, y * d - x * f, y * d - x * f, y * a - x * b], -1)
    return re.unflatten(-1, (2, 2)), im.unflatten(-1, (2, 2))


def _kron(gates):
    re, im = gates[0]
    for r, i in gates[1:]:
        re, im = torch.kron(re, r) - torch.kron(im, i), torch.kron(re, i) + torch.kron(im, r)
    return re, im


def build(case):
    torch.set_num_threads(n_threads(case.n_qubits, len(case.features)))
    n, degree, batch = case.n_qubits, case.config["degree"], len(case.features)
    size, n_slots = 2**n, 2**case.n_index
    signs = torch.tensor(entangler_signs(n)[:, None], dtype=torch.float32)
    bloch = torch.tensor(case.bloch, dtype=torch.float32)
    padding = (0, 0, 0, n_slots - case.features[0].size)

    def layer(re, im, gates):
        left = 1
        for first, last in blocks(n):
            r, i = _kron([(gates[0][q], gates[1][q]) for q in range(first, last)])
            width = len(r)
            re, im = re.reshape(left, width, -1), im.reshape(left, width, -1)
            re, im = r @ re - i @ im, r @ im + i @ re
            left *= width
        return re.reshape(size, -1) * signs, im.reshape(size, -1) * signs

    def turn(part, c, s):
        a, b = part.reshape(n_slots, 2, -1).unbind(1)
        return torch.stack([c * a - s * b, s * a + c * b], 1).reshape(size, -1)

    def values(features, weights):
        x = torch.nn.functional.pad(features.reshape(batch, -1).T, padding)
        c, s = torch.cos(x / 2), torch.sin(x / 2)
        gates = _su2(weights[:, 0])
        re = torch.nn.functional.pad(torch.ones(1, batch), (0, 0, 0, size - 1))
        re, im = layer(re, torch.zeros(size, batch), (gates[0][0], gates[1][0]))
        for p in range(1, degree + 1):
            re, im = layer(turn(re, c, s), turn(im, c, s), (gates[0][p], gates[1][p]))
        out = []
        for q in range(n):
            ar, br = re.reshape(2**q, 2, -1, batch).unbind(1)
            ai, bi = im.reshape(2**q, 2, -1, batch).unbind(1)
            xyz = 2 * (ar * br + ai * bi), 2 * (ar * bi - ai * br), ar * ar + ai * ai - br * br - bi * bi
            out.append(torch.stack([part.sum((0, 1)) for part in xyz]))
        return torch.einsum("kqa,qab->bk", bloch, torch.stack(out))

    run = torch.compile(values)
    features, weights, cotangents = (torch.tensor(a) for a in (case.features, case.weights, case.cotangents))
    inputs = [features.clone().requires_grad_(), weights.clone().requires_grad_()]

    def forward():
        with torch.no_grad():
            return run(features, weights).numpy()

    def gradient():
        out = run(*inputs)
        slopes = torch.autograd.grad(out, inputs, cotangents)
        return out.detach().numpy(), *(np.asarray(a) for a in slopes)

    return forward, gradient
