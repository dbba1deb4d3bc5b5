"""The network a fit starts from: one of its kind, and what theory predicts of its activations."""

from collections.abc import Sequence
from dataclasses import replace

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.bitstream.header import Header
from sirencodec.entropy.prior import prior_refinement
from sirencodec.fitting.bounds import FIRST_BIAS_BOUND, HIDDEN_BIAS_SHARE, axis_scale
from sirencodec.fitting.pyramid.start_settings import StartSettings, feature_bound
from sirencodec.synthesis.picture import Picture, local_refinement
from sirencodec.theory import first_layer_bound, hidden_bound, layer_variance, uniform_variance


def initial_picture(picture: Picture, seed: int) -> Picture:
    """Picture -> the same latents under a network as a fit starts from.

    By PyTorch, whose random numbers fits start from.

    Args:
        picture: of either profile.
        seed: of the random network.
    """
    import torch

    from sirencodec.fitting.pyramid.start import random_network
    from sirencodec.fitting.start import initial_layers

    header, architecture = picture.header, picture.header.architecture
    generator = torch.Generator().manual_seed(seed)
    if not architecture.grids:
        scale = axis_scale(header.width, header.height)
        layers = initial_layers(architecture, scale, generator)
        return replace(picture, layers=[layer.numpy() for layer in layers])
    black = torch.zeros(architecture.channels)
    layers, kernels = random_network(architecture, black, generator, StartSettings())
    return replace(
        picture,
        layers=[layer.numpy() for layer in layers],
        kernels=kernels.numpy(),
        refinement=local_refinement(architecture.grids, prior_refinement(architecture.prior)),
    )


def predicted_variances(header: Header, input_power: Sequence[float]) -> list[float]:
    """Header and mean square of each input -> variance of each sine layer's pre-activations.

    What ``initial_layers`` and ``random_network`` are made for.
    """
    architecture = header.architecture
    if architecture.grids:
        start = StartSettings()
        weight_variance = uniform_variance(feature_bound(len(architecture.grids), start))
        first = weight_variance * sum(input_power[INPUTS:])
        first += uniform_variance(start.bias_bound)
    else:
        bound = architecture.omega_0 * first_layer_bound(INPUTS)
        scales = axis_scale(header.width, header.height)
        parts = zip(scales, input_power, strict=True)
        first = sum(uniform_variance(bound * scale) * power for scale, power in parts)
        first += uniform_variance(FIRST_BIAS_BOUND)
    variances = [first]
    width, bound = architecture.hidden_features, hidden_bound(architecture.hidden_features)
    for _ in range(architecture.hidden_layers):
        following = layer_variance(
            variances[-1],
            gain=width * uniform_variance(bound),
            bias_variance=uniform_variance(bound * HIDDEN_BIAS_SHARE),
        )
        variances.append(following)
    return variances
