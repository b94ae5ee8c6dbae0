"""PyTorch by hand, eager: the same dense layers as the JAX peer, the batch innermost."""

from __future__ import annotations

import numpy as np
import torch
from _dense import blocks, entangler_signs, n_threads


def version() -> str:
    return "torch " + torch.__version__


def _su2(angles):
    c, s = torch.cos(angles / 2), torch.sin(angles / 2)
    cx, sx, cy, sy = c[..., 0], -1j * s[..., 0], c[..., 1], s[..., 1]
    e = torch.exp(-0.5j * angles[..., 2])
    rows = (
        [e * (cy * cx - sy * sx), e * (cy * sx - sy * cx)],
        [e.conj() * (sy * cx + cy * sx), e.conj() * (sy * sx + cy * cx)],
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _kron(matrices):
    out = matrices[0]
    for m in matrices[1:]:
        out = torch.kron(out, m)
    return out


def build(case):
    torch.set_num_threads(n_threads(case.n_qubits, len(case.features)))
    n, degree = case.n_qubits, case.config["degree"]
    size, n_slots = 2**n, 2**case.n_index
    signs = torch.tensor(entangler_signs(n)[:, None], dtype=torch.float32)
    bloch = torch.tensor(case.bloch, dtype=torch.float32)
    padding = (0, 0, 0, n_slots - case.features[0].size)

    def layer(psi, gates):
        left = 1
        for first, last in blocks(n):
            block = _kron([gates[q] for q in range(first, last)])
            width = len(block)
            psi = torch.matmul(block, psi.reshape(left, width, -1)).reshape(size, -1)
            left *= width
        return psi * signs

    def values(features, weights):
        x = torch.nn.functional.pad(features.reshape(len(features), -1).T, padding)
        c, s = torch.cos(x / 2), torch.sin(x / 2)
        psi = torch.zeros((size, len(features)), dtype=torch.complex64)
        psi[0] = 1
        gates = _su2(weights[:, 0])
        psi = layer(psi, gates[0])
        for p in range(1, degree + 1):
            a, b = psi.reshape(n_slots, 2, -1).unbind(1)
            psi = layer(torch.stack([c * a - s * b, s * a + c * b], 1).reshape(size, -1), gates[p])
        out = []
        for q in range(n):
            a, b = psi.reshape(2**q, 2, -1, len(features)).unbind(1)
            cross = 2 * (a.conj() * b).sum((0, 1))
            z = (a.abs() ** 2 - b.abs() ** 2).sum((0, 1))
            out.append(torch.stack([cross.real, cross.imag, z]))
        return torch.einsum("kqa,qab->bk", bloch, torch.stack(out))

    features, weights, cotangents = (torch.tensor(a) for a in (case.features, case.weights, case.cotangents))
    inputs = [features.clone().requires_grad_(), weights.clone().requires_grad_()]

    def forward():
        with torch.no_grad():
            return values(features, weights).numpy()

    def gradient():
        out = values(*inputs)
        slopes = torch.autograd.grad(out, inputs, cotangents)
        return out.detach().numpy(), *(np.asarray(a) for a in slopes)

    return forward, gradient
