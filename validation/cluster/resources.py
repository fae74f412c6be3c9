"""What each element of a submission asks the cluster for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from effective_theory import InputError
from effective_theory.checks import integer, shown
from validation.cluster.job_record import Cluster

#: Names of sbatch's options, long ones only, and what Slurm takes for an amount of memory.
_OPTION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_MEMORY = re.compile(r"[0-9]+([KMGT]B?)?", re.ASCII | re.IGNORECASE)
#: Options of sbatch that `submit` gives a name of its own.
_OWN = {
    **{name: name for name in ("partition", "account", "qos", "mem", "time")},
    **dict.fromkeys(("gpus", "gpus-per-node", "gpus-per-task"), "gpus"),
    "cpus-per-task": "cpus",
    "job-name": "name",
    "array": "elements",
}
#: Options of sbatch on which elements rely: one task each, its logs, and its end being announced.
_RELIED_ON = ("nodes", "ntasks", "ntasks-per-node", "output", "error", "open-mode", "signal")


@dataclass(frozen=True)
class Resources:
    """What an element asks the cluster for.

    Attributes
    ----------
    partition, account, qos
        Slurm's partition, the account that is charged and the quality of service; Slurm's
        defaults without.
    gpus, cpus
        GPUs and cores.
    mem
        Memory in Slurm's words, such as "16G"; a number alone means megabytes.
    time
        Walltime in minutes.
    sbatch
        Further options of sbatch without their dashes, such as ``{"constraint": "a100"}``.
    setup
        Shell commands before the element starts, after ours.

    Raises
    ------
    InputError
        If a value is wrong, or an option of sbatch is one that has a field of its own or on which
        elements rely.
    """

    partition: str | None = None
    gpus: int = 0
    cpus: int = 1
    time: int = 60
    setup: tuple[str, ...] = ()
    account: str | None = None
    qos: str | None = None
    mem: str | None = None
    sbatch: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("gpus", 0), ("cpus", 1), ("time", 1)):
            object.__setattr__(self, name, integer(name, getattr(self, name), least))
        for name in ("partition", "account", "qos", "mem"):
            if getattr(self, name) is not None:
                _require_text(name, getattr(self, name))
        if self.mem is not None and not _MEMORY.fullmatch(self.mem):
            raise InputError(f"mem must be an amount of memory such as 16G, not {shown(self.mem)}.")
        if not isinstance(self.sbatch, Mapping):
            raise InputError(
                'sbatch must be a dictionary such as {"constraint": "a100"}, '
                f"not {shown(self.sbatch)}."
            )
        object.__setattr__(self, "sbatch", _sbatch(self.sbatch.items()))

    def require_cluster(self, cluster: Cluster) -> None:
        """Check that the cluster is one that takes what is asked for.

        Raises
        ------
        InputError
            If it is unknown, or only Slurm would take it.
        """
        if cluster not in get_args(Cluster):
            raise InputError(
                f"cluster must be one of {', '.join(get_args(Cluster))}, not {shown(cluster)}."
            )
        for name in ("partition", "account", "qos", "mem", "sbatch"):
            if cluster != "slurm" and getattr(self, name):
                raise InputError(f"{name} is for cluster slurm; leave it out on {cluster}.")

    def parameters(self) -> dict[str, Any]:
        """Return what is asked for as submitit names it, but for the setup."""
        optional = {
            "gpus_per_node": self.gpus,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_qos": self.qos,
            "slurm_mem": self.mem,
            "slurm_additional_parameters": dict(self.sbatch),
        }
        return {
            "timeout_min": self.time,
            "cpus_per_task": self.cpus,
            **{name: value for name, value in optional.items() if value},
        }


def sbatch_options(texts: Iterable[str]) -> dict[str, str]:
    """Return sbatch's options by name from texts of the form KEY=VALUE.

    Raises
    ------
    InputError
        If a text has another form, or a key is given twice or is none that may be given.

    Examples
    --------
    >>> sbatch_options(["constraint=a100", "mail-type=END"])
    {'constraint': 'a100', 'mail-type': 'END'}
    """
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"sbatch must be KEY=VALUE, such as constraint=a100, not {text!r}.")
        pairs.append((key, value))
    return _sbatch(pairs)


def _sbatch(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Return options of sbatch that may be given, with hyphens in their names."""
    options: dict[str, str] = {}
    for key, value in pairs:
        # To submitit an underscore is a hyphen.
        name = key.replace("_", "-") if isinstance(key, str) else ""
        if not _OPTION.fullmatch(name):
            raise InputError(
                "sbatch must name long options of sbatch without dashes before them, such as "
                f"constraint=a100, not {shown(key)}."
            )
        if name in _OWN:
            raise InputError(f"sbatch must not set {name}; {_OWN[name]} is an option of its own.")
        if name in _RELIED_ON:
            raise InputError(f"sbatch must not set {name}, on which elements rely; leave it out.")
        if name in options:
            raise InputError(f"sbatch sets {name} twice; give it once.")
        _require_text(f"sbatch {name}", value)
        options[name] = value
    return options


def _require_text(name: str, value: Any) -> None:
    """Raise InputError for what is no value, or would end its line of a script."""
    if not isinstance(value, str):
        raise InputError(f"{name} must be text, not {shown(value)}.")
    if not value.strip() or not value.isprintable():
        raise InputError(f"{name} must be text of one line that is not empty, not {shown(value)}.")
