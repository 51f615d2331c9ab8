"""A residual network: eight blocks of two convolutions with squeeze-and-excitation."""

import torch
from torch import nn


class SqueezeAndExcite(nn.Module):
    """Multiply features, (batch, features, samples), by weights from their means over time (Hu et al. 2018)."""

    def __init__(self, features: int, reduction: int = 8) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Linear(features, features // reduction),
            nn.ReLU(),
            nn.Linear(features // reduction, features),
            nn.Sigmoid(),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        weights: torch.Tensor = self.weigh(features.mean(2))
        return features * weights[:, :, None]


class ResidualBlock(nn.Module):
    """Two convolutions, whose weighed output is added to their input (He et al. 2016)."""

    def __init__(self, given: int, features: int, stride: int, kernel: int = 7) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _convolution(given, features, kernel, stride),
            nn.BatchNorm1d(features),
            nn.ReLU(),
            _convolution(features, features, kernel),
            nn.BatchNorm1d(features),
            SqueezeAndExcite(features),
        )
        same = given == features and stride == 1
        self.keep: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(
                nn.AvgPool1d(stride, ceil_mode=True),
                _convolution(given, features, 1),
                nn.BatchNorm1d(features),
            )
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (batch, features, samples / stride)."""
        return torch.relu(self.change(features) + self.keep(features))


class ResidualNetwork(nn.Module):
    """From crops, mV of shape (batch, leads, samples), to logits of shape (batch, outputs).

    Parameters
    ----------
    outputs : int
    widths : tuple of int
        Features of each stage of two blocks; from the second stage on the first block halves the samples.
    """

    def __init__(
        self, outputs: int, widths: tuple[int, ...] = (64, 128, 192, 256), dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(12, 32, 7),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            _convolution(32, widths[0], 7),
            nn.BatchNorm1d(widths[0]),
            nn.ReLU(),
        )
        blocks: list[nn.Module] = []
        for given, features in zip((widths[0], *widths[:-1]), widths, strict=True):
            blocks += [ResidualBlock(given, features, 2 if blocks else 1), ResidualBlock(features, features, 1)]
        self.blocks = nn.Sequential(*blocks)
        self.answer = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * widths[-1], outputs))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the logits, from the mean and the maximum over time."""
        features = self.blocks(self.stem(crops))
        logits: torch.Tensor = self.answer(torch.cat([features.mean(2), features.amax(2)], 1))
        return logits


def _convolution(given: int, features: int, kernel: int, stride: int = 1) -> nn.Conv1d:
    return nn.Conv1d(given, features, kernel, stride, padding=kernel // 2, bias=False)
