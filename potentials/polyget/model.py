"""PolyGET: the equivariant transformer force field of arXiv:2309.00585, on the backbone of TorchMD-NET's ET.

One update layer (arXiv:2202.02541, eqs. 5-11), for atom i with neighbours j, u_ij = (r_j - r_i) / d_ij,
all products channel by channel and f = [f_k, f_x, f_1, f_2](d_ij) the radial filters of the layer:

    a_ij  = SiLU(sum over the head's channels of q_i k_j f_k)          attention, one number a head
    X_i   = sum_j a_ij x_j f_x                                         scalar message
    V_i   = sum_j w_j f_1 + u_ij v_j f_2,    w_j = vec_j m_j           vector message
    x_i   <- x_i + <U_1 vec_i, U_2 vec_i> o_2 + o_3
    vec_i <- vec_i + (U_3 vec_i) o_1 + V_i,     [o_1, o_2, o_3] = W_o X_i

| symbol            | code                                      |
|-------------------|-------------------------------------------|
| q, k, x, v        | `node[:, 0:C], [C:2C], [2C:3C], [3C:4C]`  |
| m, w              | `gate`, `w`                               |
| U_1, U_2, U_3     | `UpdateLayer.vector_mix`                  |
| W_o               | `UpdateLayer.output`                      |

Differences from the published ET: the cutoff is folded into every filter (theirs leaves the vector messages
discontinuous at the cutoff), and the attention has no second factor of it. Energies are sums of atomic
scalars of two gated equivariant blocks (arXiv:2102.03150, Fig. 3), plus the ZBL repulsion of
`potentials/repulsion.py` and a constant for each element; forces are -dE/dx. All functions here are
TorchScript and run on any device.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from polymd.potentials.polyget.radial import RadialFilters
from polymd.potentials.repulsion_module import ZBL

ELEMENTS = (1, 6, 7, 8, 9, 14, 16, 17)


@dataclass(frozen=True)
class Architecture:
    """Sizes of a PolyGET model; lengths in Å."""

    channels: int = 64
    layers: int = 3
    heads: int = 8
    basis: int = 32
    cutoff: float = 5.0
    elements: tuple[int, ...] = ELEMENTS

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def _linear(n_in: int, n_out: int, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(n_in, n_out, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


class Embedding(nn.Module):
    """x_i = W [emb(Z_i), sum_j emb'(Z_j) f(d_ij)]   (arXiv:2202.02541, eq. 3)."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.own = nn.Embedding(len(arch.elements), arch.channels)
        self.neighbour = nn.Embedding(len(arch.elements), arch.channels)
        self.filters = RadialFilters(arch.basis, arch.channels, arch.cutoff)
        self.combine = _linear(2 * arch.channels, arch.channels)

    def forward(self, species: Tensor, neighbourhood: Tensor) -> Tensor:
        x: Tensor = self.combine(torch.cat([self.own(species), neighbourhood], dim=1))
        return x


class UpdateLayer(nn.Module):
    """The node-wise half of an update layer; the sums over neighbours lie in `sum_over_neighbours`."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        c = arch.channels
        self.channels = c
        self.norm = nn.LayerNorm(c)
        self.project = _linear(c, 5 * c)
        self.vector_mix = _linear(c, 3 * c, bias=False)
        self.output = _linear(c, 3 * c)
        self.filters = RadialFilters(arch.basis, 4 * c, arch.cutoff)

    def prepare(self, x: Tensor, vec: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C), (N, 3, C) -> node (N, 4C), w (N, 3, C)."""
        c = self.channels
        node, gate = torch.split(self.project(self.norm(x)), [4 * c, c], dim=1)
        return node, vec * gate.unsqueeze(1)

    def update(self, x: Tensor, vec: Tensor, message: Tensor, vec_message: Tensor) -> tuple[Tensor, Tensor]:
        """Add the messages X (N, C), V (N, 3, C) to the features."""
        u1, u2, u3 = torch.split(self.vector_mix(vec), self.channels, dim=2)
        o1, o2, o3 = torch.split(self.output(message), self.channels, dim=1)
        return x + (u1 * u2).sum(dim=1) * o2 + o3, vec + u3 * o1.unsqueeze(1) + vec_message


class GatedBlock(nn.Module):
    """Gated equivariant block: mixes scalars with the norms of vectors (arXiv:2102.03150, Fig. 3)."""

    def __init__(self, n_in: int, n_out: int, hidden: int) -> None:
        super().__init__()
        self.n_out = n_out
        self.vector_norm = _linear(n_in, n_in, bias=False)
        self.vector_out = _linear(n_in, n_out, bias=False)
        self.scalar = nn.Sequential(_linear(2 * n_in, hidden), nn.SiLU(), _linear(hidden, 2 * n_out))

    def forward(self, x: Tensor, vec: Tensor) -> tuple[Tensor, Tensor]:
        length = torch.sqrt((self.vector_norm(vec) ** 2).sum(dim=1) + 0.01)
        scalar, gate = torch.split(self.scalar(torch.cat([x, length], dim=1)), self.n_out, dim=1)
        return scalar, self.vector_out(vec) * gate.unsqueeze(1)


class Readout(nn.Module):
    """Atomic energies from the final features."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        c = arch.channels
        self.norm = nn.LayerNorm(c)
        self.first = GatedBlock(c, c // 2, c)
        self.second = GatedBlock(c // 2, 1, c // 2)

    def forward(self, x: Tensor, vec: Tensor) -> Tensor:
        """(N, C), (N, 3, C) -> (N,) eV."""
        x, vec = self.first(self.norm(x), vec)
        x, vec = self.second(x * torch.sigmoid(x), vec)
        return x.squeeze(1)


def sum_over_neighbours(
    node: Tensor, w: Tensor, filters: Tensor, u: Tensor, i: Tensor, j: Tensor, heads: int
) -> tuple[Tensor, Tensor]:
    """X (N, C) and V (N, 3, C) of an update layer from directed edges i <- j; filters (E, 4C), u (E, 3)."""
    n, c = node.shape[0], node.shape[1] // 4
    f_k, f_x, f_1, f_2 = torch.split(filters, c, dim=1)
    q = node[:, :c].index_select(0, i)
    k, x, v = torch.split(node[:, c:].index_select(0, j), c, dim=1)
    a = (q * k * f_k).view(-1, heads, c // heads).sum(dim=2)
    a = (a * torch.sigmoid(a)).repeat_interleave(c // heads, dim=1)
    message = torch.zeros(n, c, dtype=node.dtype, device=node.device).index_add(0, i, a * x * f_x)
    vectors = w.index_select(0, j) * f_1.unsqueeze(1) + u.unsqueeze(2) * (v * f_2).unsqueeze(1)
    return message, torch.zeros_like(w).index_add(0, i, vectors)


class PolyGET(nn.Module):
    """Atomic energies of molecules from elements and geometry.

    `forward(numbers (N,), vectors (E, 3) Å, edge_index (2, E))` gives the atomic energies (N,) in eV,
    float64, where vectors[e] = r_j - r_i (periodic images included) and edge_index[0] = i, edge_index[1] =
    j is a full list of pairs within the cutoff. Forces follow by differentiating with respect to positions.
    """

    species: Tensor
    atomic_energies: Tensor

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.cutoff = arch.cutoff
        self.heads = arch.heads
        self.elements = list(arch.elements)
        species = torch.full((119,), -1, dtype=torch.long)
        species[self.elements] = torch.arange(len(self.elements))
        self.register_buffer("species", species, persistent=False)
        self.register_buffer("atomic_energies", torch.zeros(len(self.elements), dtype=torch.float64))
        self.embedding = Embedding(arch)
        self.layers = nn.ModuleList(UpdateLayer(arch) for _ in range(arch.layers))
        self.readout = Readout(arch)
        self.repulsion = ZBL()

    def network(self, species: Tensor, d: Tensor, u: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """The transformer's atomic energies (N,), in the precision of its weights."""
        near = self.embedding.neighbour(species).index_select(0, j) * self.embedding.filters(d)
        empty = torch.zeros(species.shape[0], near.shape[1], dtype=near.dtype, device=near.device)
        x = self.embedding(species, empty.index_add(0, i, near))
        vec = torch.zeros(x.shape[0], 3, x.shape[1], dtype=x.dtype, device=x.device)
        for layer in self.layers:
            node, w = layer.prepare(x, vec)  # type: ignore[operator]
            message, vec_message = sum_over_neighbours(node, w, layer.filters(d), u, i, j, self.heads)  # type: ignore[operator]
            x, vec = layer.update(x, vec, message, vec_message)  # type: ignore[operator]
        energies: Tensor = self.readout(x, vec)
        return energies

    def forward(self, numbers: Tensor, vectors: Tensor, edge_index: Tensor) -> Tensor:
        i, j = edge_index[0], edge_index[1]
        vectors = vectors.to(self.embedding.own.weight.dtype)
        d = torch.sqrt((vectors * vectors).sum(dim=1))
        species = self.species.index_select(0, numbers)
        energies = self.network(species, d, vectors / d.unsqueeze(1), i, j).to(torch.float64)
        repulsion = self.repulsion(numbers.index_select(0, i), numbers.index_select(0, j), d)
        energies = energies + self.atomic_energies.index_select(0, species)
        return energies.index_add(0, i, 0.5 * repulsion.to(torch.float64))
