"""TensorFlow by hand, compiled by XLA: the same dense layers as the JAX peer."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from _dense import blocks, entangler_signs


def version() -> str:
    return "tensorflow " + tf.__version__


def warm_up() -> None:
    """Starts TensorFlow's runtime and XLA."""
    tf.function(lambda x: x + 1.0, jit_compile=True)(tf.ones(2))


def _su2(angles):
    c, s = tf.cos(angles / 2), tf.sin(angles / 2)
    zero = tf.zeros_like(c[..., 0])
    cx, sx = tf.complex(c[..., 0], zero), tf.complex(zero, -s[..., 0])
    cy, sy = tf.complex(c[..., 1], zero), tf.complex(s[..., 1], zero)
    e = tf.complex(c[..., 2], -s[..., 2])
    f = tf.math.conj(e)
    rows = [e * (cy * cx - sy * sx), e * (cy * sx - sy * cx)], [f * (sy * cx + cy * sx), f * (sy * sx + cy * cx)]
    return tf.stack([tf.stack(row, -1) for row in rows], -2)


def _kron(matrices):
    out = matrices[0]
    for m in matrices[1:]:
        width = 2 * out.shape[0]
        out = tf.reshape(tf.einsum("ab,cd->acbd", out, m), [width, width])
    return out


def build(case):
    n, degree = case.n_qubits, case.config["degree"]
    size, n_slots = 2**n, 2**case.n_index
    signs = tf.constant(entangler_signs(n)[:, None], tf.complex64)
    bloch = tf.constant(case.bloch, tf.float32)
    batch, n_features = len(case.features), case.features[0].size

    def layer(psi, angles):
        gates = _su2(angles)
        left = 1
        for first, last in blocks(n):
            block = _kron([gates[q] for q in range(first, last)])
            width = block.shape[0]
            psi = tf.einsum("ab,lbr->lar", block, tf.reshape(psi, [left, width, -1]))
            psi = tf.reshape(psi, [size, batch])
            left *= width
        return psi * signs

    def values(features, weights):
        x = tf.pad(tf.transpose(tf.reshape(features, [batch, -1])), [[0, n_slots - n_features], [0, 0]])
        zero = tf.zeros_like(x)
        c, s = tf.complex(tf.cos(x / 2), zero), tf.complex(tf.sin(x / 2), zero)
        psi = layer(tf.one_hot(tf.zeros([batch], tf.int32), size, axis=0, dtype=tf.complex64), weights[0, 0])
        for p in range(1, degree + 1):
            pair = tf.reshape(psi, [n_slots, 2, batch])
            a, b = pair[:, 0], pair[:, 1]
            psi = layer(tf.reshape(tf.stack([c * a - s * b, s * a + c * b], 1), [size, batch]), weights[p, 0])
        out = []
        for q in range(n):
            pair = tf.reshape(psi, [2**q, 2, -1, batch])
            a, b = pair[:, 0], pair[:, 1]
            cross = 2 * tf.reduce_sum(tf.math.conj(a) * b, [0, 1])
            norm = tf.math.real(a * tf.math.conj(a)) - tf.math.real(b * tf.math.conj(b))
            out.append(tf.stack([tf.math.real(cross), tf.math.imag(cross), tf.reduce_sum(norm, [0, 1])]))
        return tf.einsum("kqa,qab->bk", bloch, tf.stack(out))

    def gradient(features, weights, cotangents):
        with tf.GradientTape() as tape:
            tape.watch([features, weights])
            out = values(features, weights)
        return out, *tape.gradient(out, [features, weights], output_gradients=cotangents)

    forward = tf.function(values, jit_compile=True)
    both = tf.function(gradient, jit_compile=True)
    inputs = [tf.constant(a) for a in (case.features, case.weights, case.cotangents)]
    return lambda: forward(*inputs[:2]).numpy(), lambda: tuple(a.numpy() for a in both(*inputs))
