"""S4D: layers of diagonal linear state spaces (Gu et al. 2022), in both directions of time.

A crop is short, so the convolution by a state space's response is a product with a Toeplitz matrix for each
feature. That is quicker than a Fourier transform on a processor that multiplies matrices well. All tensors have
the shape (features, batch, steps), so that every product is of large matrices.
"""

import math

import torch
from torch import nn

#: A response is computed by powers of so many steps at once.
STRIDE = 16


class StateSpace(nn.Module):
    """Convolve each feature with the responses of two state spaces, one for each direction of time."""

    def __init__(self, features: int, states: int = 16) -> None:
        super().__init__()
        shape = (2, features, states)
        steps = torch.exp(torch.rand(2, features, 1) * math.log(100) + math.log(0.001))
        self.log_step = nn.Parameter(steps.log())
        self.log_decay = nn.Parameter(torch.full(shape, 0.5).log())
        self.frequency = nn.Parameter(math.pi * torch.arange(states).float().expand(shape).clone())
        self.output = nn.Parameter(torch.randn(2, *shape) * 0.5**0.5)
        self.direct = nn.Parameter(torch.randn(features))

    def responses(self, steps: int) -> torch.Tensor:
        """Return the responses to an impulse, float32 of shape (2, features, steps).

        The response at step 16 i + j is the real part of a sum over states of z^(16 i) and z^j, so that only
        these powers are computed.
        """
        step = self.log_step.exp()
        decay, turn = -self.log_decay.exp() * step, self.frequency * step
        pole = torch.complex(-self.log_decay.exp(), self.frequency)
        z = torch.complex(decay, turn)
        scale = 2 * torch.complex(self.output[0], self.output[1]) * (torch.exp(z) - 1) / pole
        coarse = torch.exp(z[..., None] * (STRIDE * torch.arange(-(-steps // STRIDE))))
        fine = torch.exp(z[..., None] * torch.arange(STRIDE)) * scale[..., None]
        real = torch.cat([coarse.real, -coarse.imag], 2).mT @ torch.cat([fine.real, fine.imag], 2)
        return real.flatten(-2)[..., :steps]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape, (features, batch, steps)."""
        steps = features.shape[2]
        with torch.autocast("cpu", enabled=False):
            forward, backward = self.responses(steps)
            middle = (forward[:, :1] + backward[:, :1]) + self.direct[:, None]
            # From the most backward response to the most forward one; row s and column t of the matrix
            # hold the output at t of an impulse at s.
            line = torch.cat([backward[:, 1:].flip(1), middle, forward[:, 1:]], 1)
            toeplitz = line.unfold(1, steps, 1).flip(1)
        return torch.bmm(features, toeplitz)


class StateSpaceBlock(nn.Module):
    """A state space and a gated linear layer, whose output is added to the input."""

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm1d(features)
        self.space = StateSpace(features)
        self.mix = nn.Linear(features, 2 * features)
        self.dropout = nn.Dropout1d(dropout)  # of a feature, all of a crop

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape, (features, batch, steps)."""
        shape = features.shape
        normal = self.normalize(features.reshape(1, shape[0], -1)).view(shape)
        found = self.dropout(nn.functional.gelu(self.space(normal)))
        mixed = self.mix.weight @ found.reshape(shape[0], -1) + self.mix.bias[:, None]
        return features + nn.functional.glu(mixed, 0).view(shape)


class StateSpaceNetwork(nn.Module):
    """From crops, mV of shape (batch, leads, samples), to logits of shape (batch, outputs)."""

    def __init__(self, outputs: int, features: int = 192, depth: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.encode = nn.Conv1d(12, features, 5, stride=2, padding=2)
        self.blocks = nn.Sequential(*[StateSpaceBlock(features, dropout) for _ in range(depth)])
        self.normalize = nn.BatchNorm1d(features)
        self.answer = nn.Sequential(nn.Dropout(0.2), nn.Linear(features, outputs))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the logits, from the mean over time."""
        encoded = self.encode(crops).transpose(0, 1)
        logits: torch.Tensor = self.answer(self.normalize(self.blocks(encoded).mean(2).transpose(0, 1)))
        return logits
