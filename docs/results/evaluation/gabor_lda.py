"""Make a judge that no search and no editor here ever saw.

Python gabor_lda.py PREPARED gabor-lda.onnx.

Gabor magnitudes and linear discriminants, learnt on people who are not held out (``attrsearch train
prepare lfw --without held-out.txt --out PREPARED``), written as an ONNX file.  It is weak, as face
recognition before 2012 was.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.nn.functional import avg_pool2d, conv2d, instance_norm

from attrsearch.faces.alignment import CROP_TEMPLATE, SFACE_SIZE, SFACE_TEMPLATE, similarity, warp
from attrsearch.training.dataset import load_face_set

MOST, COMPONENTS, OUTPUTS = 8, 300, 200

faces = load_face_set(Path(sys.argv[1]))
people = np.array(faces.people)
names, counts = np.unique(people, return_counts=True)
generator = np.random.default_rng(0)
several = names[counts >= 2]
rows = np.concatenate(
    [generator.permutation(np.flatnonzero(people == name))[:MOST] for name in several]
)
matrix = similarity(CROP_TEMPLATE[None], SFACE_TEMPLATE)[0]
pictures = np.stack([warp(np.asarray(faces.crops[row]), matrix, SFACE_SIZE) for row in rows])
labels = np.unique(people[rows], return_inverse=True)[1]
print(len(rows), "pictures of", len(several), "people")

bank = np.stack(
    [
        cv2.getGaborKernel((15, 15), wave * 0.5, angle, wave, 0.7, phase)
        for wave in (4, 7, 12)
        for angle in np.arange(6) * np.pi / 6
        for phase in (0, np.pi / 2)
    ]
).astype(np.float32)[:, None]
bank -= bank.mean((1, 2, 3), keepdims=True)
bank /= np.abs(bank).sum((1, 2, 3), keepdims=True)


def features(part: np.ndarray) -> np.ndarray:
    """What the ONNX graph computes before its last layer."""
    pixels = (torch.from_numpy(part).permute(0, 3, 1, 2).float() - 127.5) / 127.5
    grey = instance_norm(avg_pool2d(pixels.mean(1, keepdim=True), 2))
    return (
        avg_pool2d(conv2d(grey, torch.from_numpy(bank), stride=2, padding=7).abs(), 5, 3)
        .flatten(1)
        .numpy()
    )


with torch.inference_mode():
    table = np.concatenate([features(part) for part in np.array_split(pictures, 60)])
mean, spread = table.mean(0), table.std(0) + 1e-6
pca = PCA(COMPONENTS, whiten=True, random_state=0).fit((table - mean) / spread)
lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.5)
lda.fit(pca.transform((table - mean) / spread), labels)
weight = (pca.components_.T / np.sqrt(pca.explained_variance_)) @ lda.scalings_[:, :OUTPUTS]
weight = (weight / spread[:, None]).astype(np.float32)

constants = {
    "grey": np.full((1, 3, 2, 2), 1 / 12, np.float32),
    "one": np.ones(1, np.float32),
    "zero": np.zeros(1, np.float32),
    "bank": bank,
    "weight": weight,
    "bias": -(mean @ weight).astype(np.float32),
}
nodes = [
    helper.make_node("Conv", ["faces", "grey"], ["g"], kernel_shape=[2, 2], strides=[2, 2]),
    helper.make_node("InstanceNormalization", ["g", "one", "zero"], ["i"], epsilon=1e-5),
    helper.make_node(
        "Conv", ["i", "bank"], ["c"], kernel_shape=[15, 15], strides=[2, 2], pads=[7, 7, 7, 7]
    ),
    helper.make_node("Abs", ["c"], ["a"]),
    helper.make_node("AveragePool", ["a"], ["p"], kernel_shape=[5, 5], strides=[3, 3]),
    helper.make_node("Flatten", ["p"], ["f"], axis=1),
    helper.make_node("Gemm", ["f", "weight", "bias"], ["vector"]),
]
graph = helper.make_graph(
    nodes,
    "gabor-lda",
    [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, SFACE_SIZE, SFACE_SIZE])],
    [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", OUTPUTS])],
    [numpy_helper.from_array(value, name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
onnx.save(model, sys.argv[2])
