"""The entries of the networks among the systems, and their presets."""

import dataclasses
import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from effective_theory import BinaryOperation, ModularOperation, strict_test
from phase_diagrams import (
    Axis,
    Field,
    FinalState,
    Measure,
    SweepSpec,
    System,
    register_preset,
    register_start,
    register_system,
)
from validation.data.images import Digits, ImageTask
from validation.networks.heads import require_heads
from validation.systems.axes import log_axis
from validation.systems.engine import FURTHER, network_engine, random_network, random_split
from validation.systems.settings import SETTINGS, ImageSettings, NetworkSettings, OneLayerSettings

_FIELDS = {
    "lr": Field("learning rate", "log", "smallest"),
    "weight_decay": Field("weight decay"),
    "embedding_lr": Field("embedding learning rate", "log", none="that of the rest"),
    "embedding_weight_decay": Field("embedding weight decay", none="that of the rest"),
    "batch_size": Field(none="full batch"),
    "init_scale": Field("scale of initial weights", "log"),
    "steps": Field(longest="largest"),
}
#: Fields that came after stores had runs of networks.
_LATER = ("exact_tail", "l_inf_penalty", "loss")


def _embeddings(settings: NetworkSettings, task: BinaryOperation) -> tuple[int, int]:
    return task.symbols, settings.columns


def _require_fit(settings: type[Any], task: Any, values: Mapping[str, tuple[Any, ...]]) -> None:
    """Check that attention heads share the dimension."""
    for heads, dimension in itertools.product(values.get("heads", ()), values.get("dimension", ())):
        require_heads(dimension, heads, settings.numbers_of_head)


def network_system(name: str, settings: type[Any]) -> System:
    """Return the entry of a network."""
    fields = {each.name: _FIELDS.get(each.name, Field()) for each in dataclasses.fields(settings)}
    return System(
        name=name,
        settings=settings,
        engine=network_engine,
        plural=f"networks of the kind {name}",
        trains_on=(BinaryOperation, 'an operation such as ModularOperation("x+y", 31)'),
        fields=fields,
        measures={
            "train": Measure("train accuracy", "train_threshold"),
            "test": Measure("test accuracy", "test_threshold"),
        },
        state=FinalState("embeddings", "symbol", _embeddings),
        further=FURTHER,
        require_fit=partial(_require_fit, settings),
        strict_test=strict_test,
        shapes_start=("init_scale",),
        later={name: getattr(settings(), name) for name in _LATER},
        batch_size="batch_size",
        brought_by="install the package's extra [validation]",
    )


def image_system() -> System:
    """Return the entry of the MLP on images."""
    usual = network_system("image_mlp", ImageSettings)
    labels = {
        "lr": Field("last-layer learning rate", "log", "smallest"),
        "embedding_lr": Field("learning rate before the last layer", "log", none="that of it"),
        "embedding_weight_decay": Field("weight decay before the last layer", none="that of it"),
    }
    return dataclasses.replace(
        usual,
        plural="networks on images",
        trains_on=(ImageTask, "images such as Digits()"),
        usual_task=Digits,
        fields={**usual.fields, **labels},
        state=FinalState("last layer", "class", lambda s, task: (task.classes, s.columns)),
        # Images have no mirrors, of which the strict test accuracy would be free.
        further=(),
        strict_test=None,
        brought_by="install the package's extra [images]",
    )


def register_networks() -> None:
    """Make the networks known as systems, with their random starts and presets."""
    on_pairs = [network_system(name, settings) for name, settings in SETTINGS.items()]
    for system in (*on_pairs, image_system()):
        register_start("random", random_network, split=random_split, system=register_system(system))
    register_preset(
        "transformer-phases",
        "lr x weight decay of the one-layer transformer at CI size (p = 31), budget 4000",
        transformer_phases(),
    )


def transformer_phases() -> SweepSpec:
    """Return learning rate x weight decay of a small one-layer transformer, half of all pairs."""
    axes = {
        "lr": log_axis(np.geomspace(3e-4, 3e-2, 10), digits=6),
        "weight_decay": Axis((0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0), "ordinal"),
    }
    settings = OneLayerSettings(dimension=64, hidden=256, steps=4000)
    task = ModularOperation("x+y", 31)
    return SweepSpec(task, axes, settings, train_fraction=0.5, seeds=(0,))
