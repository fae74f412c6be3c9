"""Checkpoints of a training, from which it goes on to the same bits."""

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from effective_theory import InputError
from effective_theory.files import FileKind, replacing
from validation.networks.network import Network
from validation.training.updates import Updates

#: torch.save writes a zip file with this first member.
CHECKPOINT = FileKind("a checkpoint of a training", rb"PK\x03\x04.{26}archive/data\.pkl")
_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A training after some update.

    Attributes
    ----------
    update
        Number of completed updates.
    curve
        Values of each column so far.
    """

    update: int
    curve: dict[str, list[float]]


def write_checkpoint(
    path: Path,
    configuration: dict[str, Any],
    checkpoint: Checkpoint,
    network: Network,
    updates: Updates,
) -> None:
    """Write a training's state in place of its earlier one, whole or not at all.

    Parameters
    ----------
    path
        The file.
    configuration
        What determines the training but for its budget, as plain values.
    checkpoint, network, updates
        The state: curve, weights and moments.

    Raises
    ------
    InputError
        If the path cannot be written, or holds anything but a checkpoint.
    """
    # Tensors, numbers and texts only: what is read need not be trusted with code.
    content = {
        "version": _VERSION,
        "configuration": json.dumps(configuration, sort_keys=True),
        "update": checkpoint.update,
        "curve": {
            name: torch.tensor(values, dtype=torch.float64)
            for name, values in checkpoint.curve.items()
        },
        "network": network.state_dict(),
        "optimiser": updates.optimiser.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path, CHECKPOINT) as file:
        file.write(buffer.getvalue())


def read_checkpoint(
    path: Path, configuration: dict[str, Any], network: Network, updates: Updates
) -> Checkpoint:
    """Return a training's state, after network and optimiser have been given theirs.

    Parameters are those of `write_checkpoint`.

    Raises
    ------
    InputError
        If the file is no checkpoint, is damaged, or is one of another training.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        stored = json.loads(content["configuration"])
        if content["version"] != _VERSION:
            raise ValueError(f"version {content['version']} is not known here")
    except (
        *(OSError, RuntimeError, EOFError, pickle.UnpicklingError),
        *(KeyError, TypeError, ValueError, AttributeError),
    ) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"checkpoint {path} cannot be read ({reason}).") from None
    differing = [
        name
        for name in sorted({*stored, *configuration})
        if stored.get(name) != json.loads(json.dumps(configuration.get(name)))
    ]
    if differing:
        raise InputError(
            f"checkpoint {path} is one of another training: {', '.join(differing)} differ; give "
            "what it began with, the network's first weights among it, or name another file."
        )
    network.load_state_dict(content["network"])
    updates.optimiser.load_state_dict(content["optimiser"])
    curve = {name: values.tolist() for name, values in content["curve"].items()}
    return Checkpoint(int(content["update"]), curve)
