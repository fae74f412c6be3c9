"""Networks beside torch's own layers, their folds beside their plain passes."""

import itertools
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import InputError  # noqa: E402
from validation.networks.concat_network import ConcatNetwork  # noqa: E402
from validation.networks.liu_transformer import LiuTransformer  # noqa: E402
from validation.networks.lstm import LSTM  # noqa: E402
from validation.networks.mlp import MLP  # noqa: E402
from validation.networks.one_layer_transformer import OneLayerTransformer  # noqa: E402
from validation.networks.pair_network import PairNetwork  # noqa: E402
from validation.networks.power_transformer import (  # noqa: E402
    PowerTransformer,
    sinusoidal_positions,
)
from validation.networks.quadratic_network import QuadraticNetwork  # noqa: E402

P = 13
PAIRS = torch.tensor(list(itertools.product(range(P), repeat=2)))
MAKERS: dict[str, Callable[[], PairNetwork]] = {
    "one layer": lambda: OneLayerTransformer(P, P, dimension=32, heads=4, hidden=48),
    "one layer, torch": lambda: OneLayerTransformer(P, P, initialisation="torch"),
    "power": lambda: PowerTransformer(P, P, dimension=32, heads=4, hidden=48),
    "power, three blocks": lambda: PowerTransformer(P, P, dimension=16, heads=2, blocks=3),
    "liu": lambda: LiuTransformer(P, P, dimension=32, hidden=24),
    "liu, one layer": lambda: LiuTransformer(P, P, dimension=16, hidden=8, layers=1),
    "mlp": lambda: MLP(P, P, width=32),
    "mlp, summed": lambda: MLP(P, P, width=32, inputs="summed", layers=3),
    "mlp, embedded": lambda: MLP(P, P, width=32, inputs="embedded", dimension=8),
    "lstm": lambda: LSTM(P, P),
    "concat": lambda: ConcatNetwork(P, P),
    "quadratic": lambda: QuadraticNetwork(P, P, width=24),
}


def made(name: str, dtype: "torch.dtype" = torch.float64) -> PairNetwork:
    torch.manual_seed(1)
    network = MAKERS[name]().to(dtype)
    if isinstance(network, OneLayerTransformer):
        with torch.no_grad():  # where they are 0 a fold that forgot them would be right
            for parameter in (network.positions, network.inner.bias, network.outer.bias):
                parameter.normal_()
    return network


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    ("dtype", "of_logits", "of_gradients"),
    [(torch.float32, 1e-5, 1e-4), (torch.float64, 1e-12, 1e-10)],
)
@pytest.mark.parametrize("count", [P * P, 100, 3])
def test_a_fold_is_the_same_function(
    name: str, dtype: "torch.dtype", of_logits: float, of_gradients: float, count: int
) -> None:
    network = made(name, dtype)
    chosen = torch.randperm(P * P, generator=torch.Generator().manual_seed(0))[:count]
    pairs, labels = PAIRS[chosen], PAIRS[chosen].sum(dim=1) % P
    found = []
    for run in (network.forward, network.folded):
        network.zero_grad()
        logits = run(pairs)
        torch.nn.functional.cross_entropy(logits, labels).backward()
        found.append([logits.detach(), *(w.grad.clone() for w in network.parameters())])
    bounds = [of_logits, *[of_gradients] * (len(found[0]) - 1)]
    for plain, folded, bound in zip(*found, bounds, strict=True):
        largest = plain.abs().max()
        # A gradient that is rounding alone, as that of a bias before a softmax, has no scale.
        if largest > 1e-6 * found[0][0].abs().max():
            assert (plain - folded).abs().max() <= bound * largest


@pytest.mark.parametrize("name", MAKERS)
def test_logits_embeddings_and_parameters_have_their_shapes(name: str) -> None:
    network = made(name)
    assert network(PAIRS).shape == (P * P, P)
    assert network.embeddings.shape[0] == P
    own, rest = list(network.representation_parameters()), list(network.decoder_parameters())
    assert len(own) + len(rest) == len(list(network.parameters()))
    assert {id(w) for w in own}.isdisjoint(id(w) for w in rest)


def test_the_one_layer_transformer_is_torchs_attention_and_a_relu_layer() -> None:
    network = made("one layer")
    assert isinstance(network, OneLayerTransformer)
    attention = torch.nn.MultiheadAttention(32, 4, bias=False, batch_first=True).double()
    with torch.no_grad():
        weights = [network.query.weight, network.key.weight, network.value.weight]
        attention.in_proj_weight.copy_(torch.cat(weights))
        attention.out_proj.weight.copy_(network.attended.weight)
    tokens = torch.cat([PAIRS, torch.full((len(PAIRS), 1), P)], dim=1)
    stream = network.embedding.weight[tokens] + network.positions
    causal = torch.triu(torch.full((3, 3), -torch.inf, dtype=torch.float64), 1)
    stream = stream + attention(stream, stream, stream, attn_mask=causal, need_weights=False)[0]
    inner = torch.relu(stream @ network.inner.weight.T + network.inner.bias)
    stream = stream + inner @ network.outer.weight.T + network.outer.bias
    expected = stream[:, -1] @ network.unembedding.weight.T
    torch.testing.assert_close(network(PAIRS), expected, rtol=0, atol=1e-12)


def test_powers_transformer_is_torchs_post_norm_layers_under_a_causal_mask() -> None:
    network = made("power, three blocks")
    assert isinstance(network, PowerTransformer)
    tokens = torch.stack(
        [PAIRS[:, 0], torch.full((P * P,), P), PAIRS[:, 1], torch.full((P * P,), P + 1)], dim=1
    )
    stream = network.embedding.weight[tokens] + sinusoidal_positions(4, 16)
    causal = torch.triu(torch.full((4, 4), -torch.inf, dtype=torch.float64), 1)
    for block in network.blocks:
        layer = torch.nn.TransformerEncoderLayer(
            16, 2, 512, 0.0, batch_first=True, bias=False, dtype=torch.float64
        )
        with torch.no_grad():
            weights = [block.query.weight, block.key.weight, block.value.weight]
            layer.self_attn.in_proj_weight.copy_(torch.cat(weights))
            layer.self_attn.out_proj.weight.copy_(block.attended.weight)
            layer.linear1.weight.copy_(block.inner.weight)
            layer.linear2.weight.copy_(block.outer.weight)
        stream = layer(stream, src_mask=causal)
    expected = stream[:, -1] @ network.output.weight.T
    torch.testing.assert_close(network(PAIRS), expected, rtol=0, atol=1e-11)


def test_parameter_counts_are_the_published_ones() -> None:
    power = PowerTransformer(97, 97)
    counts = {name: weight.numel() for name, weight in power.named_parameters()}
    norms = sum(count for name, count in counts.items() if "after" in name)
    blocks = sum(count for name, count in counts.items() if name.startswith("blocks"))
    assert (blocks - norms, blocks, sum(counts.values())) == (393_216, 394_240, 419_328)
    hu = sum(weight.numel() for weight in OneLayerTransformer(97, 97).parameters())
    # Embeddings and unembedding, positions, attention, the ReLU layer with its biases.
    assert hu == 98 * 128 + 97 * 128 + 3 * 128 + 4 * 128**2 + 2 * 128 * 512 + 512 + 128
    liu = LiuTransformer(53, 53)
    assert liu.output.weight.shape == (53, 512) and len(liu.layers) == 2
    simple = ConcatNetwork(53, 53)
    shapes = [tuple(weight.shape) for weight in simple.parameters()]
    assert shapes == [(53, 128), (128, 256), (128,), (53, 128), (53,)]


def test_fan_in_gives_each_weight_the_variance_of_its_fan_in() -> None:
    torch.manual_seed(0)
    network = OneLayerTransformer(97, 97)
    for layer in (network.query, network.attended, network.inner, network.outer):
        expected = layer.in_features**-0.5
        assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.03)
    assert float(network.unembedding.weight.detach().std()) == pytest.approx(97**-0.5, rel=0.03)
    assert float(network.embeddings.detach().std()) == pytest.approx(128**-0.5, rel=0.03)
    for at_zero in (network.inner.bias, network.outer.bias, network.positions):
        assert not at_zero.any()


def test_summed_inputs_cannot_tell_a_pair_from_its_mirror() -> None:
    network = made("mlp, summed")
    assert torch.equal(network(PAIRS), network(PAIRS.flip(1)))
    assert not torch.allclose(made("mlp")(PAIRS), made("mlp")(PAIRS.flip(1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneLayerTransformer(5, 5, dimension=10, heads=4), "must be a multiple of heads"),
        (lambda: OneLayerTransformer(5, 5, initialisation="xavier"), "initialisation must be"),  # type: ignore[arg-type]
        (lambda: PowerTransformer(5, 5, dimension=12, heads=4), "a multiple of twice heads"),
        (lambda: MLP(5, 5, inputs="added"), "inputs must be one of"),  # type: ignore[arg-type]
        (lambda: LSTM(0, 5), "symbols must be"),
        (lambda: LiuTransformer(5, 5, embedding_scale=-1.0), "embedding_scale must"),
        (lambda: LiuTransformer(5, 5, hidden=0), "hidden must be at least 1"),
        (lambda: PowerTransformer(5, 5, dropout=2.0), "dropout is a fraction"),
        (lambda: MLP(5, 5, inputs="embedded", dimension=0), "dimension must be at least 1"),
    ],
)
def test_what_is_no_network_is_named(make: Callable[[], PairNetwork], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
