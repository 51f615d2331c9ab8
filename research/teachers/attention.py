"""Convolutions, then self-attention (Vaswani et al. 2017): each step of 40 ms sees the whole crop."""

import torch
from torch import nn

from research.teachers.residual import ResidualBlock


class AttentionBlock(nn.Module):
    """Self-attention, a convolution over 0.3 s, and two dense layers; each output is added to its input.

    Parameters
    ----------
    features, heads : int
        How many features a step of time has, and how many attentions share them.
    dropout : float
        Of the features that are added.
    """

    def __init__(self, features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.ModuleList([nn.LayerNorm(features) for _ in range(3)])
        self.compare = nn.Linear(features, 3 * features)
        self.join = nn.Linear(features, features)
        self.near = nn.Conv1d(features, features, 7, padding=3, groups=features)
        self.mix = nn.Linear(features, features)
        self.think = nn.Sequential(
            nn.Linear(features, 3 * features),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(3 * features, features),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape, (batch, steps, features)."""
        features = features + self.dropout(self._attend(self.before[0](features)))
        near = self.near(self.before[1](features).transpose(1, 2)).transpose(1, 2)
        features = features + self.dropout(self.mix(nn.functional.gelu(near)))
        changed: torch.Tensor = features + self.dropout(self.think(self.before[2](features)))
        return changed

    def _attend(self, features: torch.Tensor) -> torch.Tensor:
        batch, steps, width = features.shape
        parts = self.compare(features).view(batch, steps, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        found = nn.functional.scaled_dot_product_attention(query, key, value)
        joined: torch.Tensor = self.join(found.transpose(1, 2).reshape(batch, steps, width))
        return joined


class AttentionNetwork(nn.Module):
    """From crops, mV of shape (batch, leads, samples), to logits of shape (batch, outputs).

    The network is not told where a step lies in the crop, since a crop begins anywhere in its record.

    Parameters
    ----------
    outputs : int
    features, depth, heads : int
        Of the blocks with attention.
    dropout : float
        In these blocks; twice as much before the dense layer.
    """

    def __init__(
        self, outputs: int, features: int = 192, depth: int = 4, heads: int = 6, dropout: float = 0.15
    ) -> None:
        super().__init__()
        self.convolve = nn.Sequential(
            nn.Conv1d(12, 64, 9, padding=4, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            ResidualBlock(64, 128, 2),
            ResidualBlock(128, features, 2),
        )
        self.blocks = nn.Sequential(*[AttentionBlock(features, heads, dropout) for _ in range(depth)])
        self.normalize = nn.LayerNorm(features)
        self.answer = nn.Sequential(nn.Dropout(2 * dropout), nn.Linear(2 * features, outputs))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the logits, from the mean and the maximum over time."""
        features = self.normalize(self.blocks(self.convolve(crops).transpose(1, 2)))
        logits: torch.Tensor = self.answer(torch.cat([features.mean(1), features.amax(1)], 1))
        return logits
