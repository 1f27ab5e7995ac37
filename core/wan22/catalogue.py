"""The models, as data: what each does, how large it is, what its numbers must be.

Sources: the configurations in Wan-AI/Wan2.2-*-Diffusers and `scripts/convert_wan_to_diffusers.py` of diffusers
(sizes, boundary), `wan/configs` of Wan-Video/Wan2.2 (flow shift, frame rate, frame counts). Parameter counts are those
of the diffusers and transformers classes built from these configurations without memory; a test counts them again.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from artifexpro.core.errors import ArtifexError

Task = Literal["t2v", "i2v", "ti2v", "s2v", "style", "edit"]
TASKS: Mapping[str, str] = MappingProxyType(
    {
        "t2v": "text to video",
        "i2v": "image to video",
        "ti2v": "text and image to video",
        "s2v": "speech to video",
        "style": "style transfer",
        "edit": "masked editing",
    }
)
FLOW_SHIFT: Mapping[str, float] = MappingProxyType(
    {"t2v-A14B": 12.0, "i2v-A14B": 5.0, "ti2v-5B": 5.0, "s2v-14B": 3.0, "vace-A14B": 12.0}
)
"""The reference's shift of the noise schedule by model; repositories' scheduler files say otherwise for A14B. VACE's is
that of examples/wan2.2_vace_fun in aigc-apps/VideoX-Fun."""
TRAINED_STEPS = 1000
"""Timesteps run from 1000 (noise) to 0 (picture)."""


@dataclass(frozen=True, slots=True)
class VaeFactors:
    """How many pixels and frames one latent stands for. The first frame has a latent of its own."""

    channels: int
    spatial: int
    temporal: int = 4


@dataclass(frozen=True, slots=True)
class Transformer:
    """Size of one denoising network. `dim` is heads x head_dim; its tokens are patches of (1, patch, patch) latents."""

    layers: int
    heads: int
    head_dim: int
    ffn: int
    in_channels: int
    text_dim: int = 4096
    patch: int = 2
    control: tuple[int, ...] = ()
    """Layers that a branch for a clip to edit speaks to (VACE); none has no such branch."""
    hearing: tuple[int, ...] = ()
    """Layers after which sound comes in (S2V); none is deaf."""
    frequencies: int = 256
    """Sines and cosines by which the timestep is told."""
    longest: int = 1024
    """Positions along each axis: latent frames, rows and columns of patches."""

    @property
    def dim(self) -> int:
        return self.heads * self.head_dim

    @property
    def kind(self) -> str:
        """The class: one of diffusers', or our own for speech."""
        if self.hearing:
            return "WanS2VTransformer3DModel"
        return "WanVACETransformer3DModel" if self.control else "WanTransformer3DModel"


@dataclass(frozen=True, slots=True)
class Speech:
    """How a model makes a film clip by clip to a sound.

    `clip_frames` are made at a time; each clip goes on from the `past_frames` before it; a first clip's `lead` first
    frames are not shown. Width and height are whole multiples of `multiple` pixels. `audio_dim` and `audio_layers` are
    width and number of the speech model's answers.
    """

    clip_frames: int = 80
    past_frames: int = 73
    lead: int = 3
    multiple: int = 64
    audio_dim: int = 1024
    audio_layers: int = 25
    areas: Mapping[str, int] = field(default_factory=lambda: {"480p": 832 * 480, "720p": 1280 * 720})
    """Pixels that a film has at most, in its picture's shape, by the presets' words."""

    @property
    def clip_latents(self) -> int:
        """Latent frames of one clip."""
        return self.clip_frames // 4

    @property
    def past_latents(self) -> int:
        """Latent frames of what a clip goes on from."""
        return (self.past_frames + 3) // 4


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a model on disk: its folder's name, number of parameters, bytes each takes as published."""

    name: str
    parameters: int
    stored_bytes: int = 4


@dataclass(frozen=True, slots=True)
class Published:
    """Files of a model that is published in another layout than ours: `files` (a name with wild cards) of `repository`
    ("" is the model's own) come into the folder `into`."""

    files: str
    into: str
    repository: str = ""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model.

    `rate` is frames a second of what it makes. `boundary` is the share of the timesteps below which the second (low
    noise) network takes over; None is one network. `sizes` has (width, height) in pixels by the presets' words.
    `later` is why a known model cannot be used yet. `random` weights are built on the spot and make noise.
    """

    name: str
    family: str
    tasks: tuple[str, ...]
    transformer: Transformer
    vae: VaeFactors
    rate: Fraction
    shift: float
    sizes: Mapping[str, tuple[int, int]]
    components: tuple[Component, ...]
    licence: str = "Apache-2.0"
    repository: str | None = None
    revision: str = "main"
    boundary: float | None = None
    trained: int = 81
    """Frames of the clips it was trained on (`frame_num` of the reference)."""
    later: str | None = None
    random: bool = False
    dtype: str | None = None
    """Number format that overrides the presets'; None lets the preset decide."""
    guidance: float | None = None
    """Guidance that overrides the presets'; None lets the preset decide."""
    speech: Speech | None = None
    """What a model that films speech needs; None is a model without sound."""
    embedded: bool = False
    """Whether its weights come with the package."""
    published: tuple[Published, ...] = ()
    """Where the model's files are; none is the layout of the Wan-AI/Wan2.2-*-Diffusers repositories."""
    about: str = ""

    @property
    def experts(self) -> int:
        return 1 if self.boundary is None else 2

    @property
    def parameters(self) -> int:
        return sum(component.parameters for component in self.components)

    @property
    def multiple(self) -> int:
        """Width and height in pixels are whole multiples of this: VAE factor times patch, or times the coarsest one."""
        return self.speech.multiple if self.speech else self.vae.spatial * self.transformer.patch

    @property
    def longest_clip(self) -> int:
        """Frames the network has positions for."""
        return self.vae.temporal * (self.transformer.longest - 1) + 1

    @property
    def largest_side(self) -> int:
        """Pixels along one side that the network has positions for."""
        return self.vae.spatial * self.transformer.patch * self.transformer.longest

    def latent_shape(self, width: int, height: int, frames: int) -> tuple[int, int, int, int, int]:
        """(1, channels, latent frames, latent height, latent width) of a clip in pixels and frames."""
        return (
            1,
            self.vae.channels,
            (frames - 1) // self.vae.temporal + 1,
            height // self.vae.spatial,
            width // self.vae.spatial,
        )

    def tokens(self, width: int, height: int, frames: int) -> int:
        """Patches that the network attends over. A film's are those of a clip that goes on from another one."""
        _, _, time, rows, columns = self.latent_shape(width, height, frames)
        if self.speech is not None:
            frame = (rows // 2) * (columns // 2)
            past = frame + (rows // 4) * (columns // 4) + 4 * (rows // 8) * (columns // 8)
            return (self.speech.clip_latents + 1) * frame + past
        return time * (rows // self.transformer.patch) * (columns // self.transformer.patch)


VAE_21 = VaeFactors(channels=16, spatial=8)
VAE_22 = VaeFactors(channels=48, spatial=16)
A14B = Transformer(layers=40, heads=40, head_dim=128, ffn=13824, in_channels=16)
TEXT = Component("text_encoder", 5_680_910_336, stored_bytes=2)
DECODER_21 = Component("vae", 126_892_531)
DECODER_22 = Component("vae", 704_688_668)
EXPERTS = (Component("transformer", 14_288_491_584), Component("transformer_2", 14_288_491_584))
A14B_SIZES = MappingProxyType({"480p": (832, 480), "720p": (1280, 720)})
TI2V_SIZES = MappingProxyType({"480p": (832, 480), "720p": (1280, 704)})
S2V_SIZES = MappingProxyType({"480p": (832, 448), "720p": (1280, 704)})
"""Where no picture says otherwise; see `Speech.areas`."""
S2V_SMOKE_SIZES = MappingProxyType({"480p": (320, 192), "720p": (512, 256)})
SMOKE_SIZES = MappingProxyType({"480p": (320, 192), "720p": (512, 288)})

_RANDOM_EXPERTS = tuple(Component(name, 0) for name in ("text_encoder", "transformer", "transformer_2", "vae"))

_MODELS = (
    ModelSpec(
        name="smoke",
        family="TI2V-5B",
        tasks=("ti2v", "t2v", "style"),
        transformer=Transformer(layers=2, heads=2, head_dim=24, ffn=96, in_channels=48, text_dim=32),
        vae=VAE_22,
        rate=Fraction(24),
        shift=FLOW_SHIFT["ti2v-5B"],
        sizes=SMOKE_SIZES,
        components=(Component("text_encoder", 0), Component("transformer", 0), Component("vae", 0)),
        random=True,
        dtype="float32",
        about="random weights in the shape of ti2v-5B: tries the whole way in seconds, makes noise",
    ),
    ModelSpec(
        name="smoke-moe",
        family="T2V-A14B",
        tasks=("t2v", "style"),
        transformer=Transformer(layers=2, heads=2, head_dim=24, ffn=96, in_channels=16, text_dim=32),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["t2v-A14B"],
        sizes=SMOKE_SIZES,
        components=_RANDOM_EXPERTS,
        boundary=0.875,
        random=True,
        dtype="float32",
        about="random weights in the shape of t2v-A14B with its two experts: makes noise",
    ),
    ModelSpec(
        name="smoke-i2v",
        family="I2V-A14B",
        tasks=("i2v",),
        transformer=Transformer(layers=2, heads=2, head_dim=24, ffn=96, in_channels=36, text_dim=32),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["i2v-A14B"],
        sizes=SMOKE_SIZES,
        components=_RANDOM_EXPERTS,
        boundary=0.9,
        random=True,
        dtype="float32",
        about="random weights in the shape of i2v-A14B with its two experts: makes noise",
    ),
    ModelSpec(
        name="smoke-vace",
        family="VACE-Fun-A14B",
        tasks=("edit",),
        transformer=Transformer(layers=2, heads=2, head_dim=24, ffn=96, in_channels=16, text_dim=32, control=(0, 1)),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["vace-A14B"],
        sizes=SMOKE_SIZES,
        components=_RANDOM_EXPERTS,
        boundary=0.875,
        random=True,
        dtype="float32",
        about="random weights in the shape of vace-A14B with its two experts: makes noise",
    ),
    ModelSpec(
        name="ti2v-5B",
        family="TI2V-5B",
        tasks=("ti2v", "t2v", "style"),
        transformer=Transformer(layers=30, heads=24, head_dim=128, ffn=14336, in_channels=48),
        vae=VAE_22,
        rate=Fraction(24),
        shift=FLOW_SHIFT["ti2v-5B"],
        sizes=TI2V_SIZES,
        components=(TEXT, Component("transformer", 4_999_787_712), DECODER_22),
        repository="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        trained=121,
        about="text, or text and a first picture, to video, and clips in another style; one network",
    ),
    ModelSpec(
        name="t2v-A14B",
        family="T2V-A14B",
        tasks=("t2v", "style"),
        transformer=A14B,
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["t2v-A14B"],
        sizes=A14B_SIZES,
        components=(TEXT, *EXPERTS, DECODER_21),
        repository="Wan-AI/Wan2.2-T2V-A14B-Diffusers",
        boundary=0.875,
        about="text to video, and clips in another style; two experts of 14 billion parameters",
    ),
    ModelSpec(
        name="i2v-A14B",
        family="I2V-A14B",
        tasks=("i2v",),
        transformer=Transformer(layers=40, heads=40, head_dim=128, ffn=13824, in_channels=36),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["i2v-A14B"],
        sizes=A14B_SIZES,
        components=(
            TEXT,
            Component("transformer", 14_288_901_184),
            Component("transformer_2", 14_288_901_184),
            DECODER_21,
        ),
        repository="Wan-AI/Wan2.2-I2V-A14B-Diffusers",
        boundary=0.9,
        about="a first picture, and a last one if you like, to video; two experts of 14 billion parameters",
    ),
    ModelSpec(
        name="vace-A14B",
        family="VACE-Fun-A14B",
        tasks=("edit",),
        transformer=Transformer(
            layers=40, heads=40, head_dim=128, ffn=13824, in_channels=16, control=(0, 5, 10, 15, 20, 25, 30, 35)
        ),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["vace-A14B"],
        sizes=A14B_SIZES,
        components=(
            TEXT,
            Component("transformer", 17_337_592_896, stored_bytes=2),
            Component("transformer_2", 17_337_592_896, stored_bytes=2),
            DECODER_21,
        ),
        repository="linoyts/Wan2.2-VACE-Fun-14B-diffusers",
        boundary=0.875,
        about="what a mask covers of a clip made new (alibaba-pai/Wan2.2-VACE-Fun-A14B in the layout of diffusers); "
        "two experts of 17 billion parameters",
    ),
    ModelSpec(
        name="smoke-s2v",
        family="S2V-14B",
        tasks=("s2v",),
        transformer=Transformer(
            layers=2, heads=2, head_dim=24, ffn=96, in_channels=16, text_dim=32, frequencies=64, hearing=(0, 1)
        ),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["s2v-14B"],
        sizes=S2V_SMOKE_SIZES,
        components=(
            Component("text_encoder", 0),
            Component("audio_encoder", 0),
            Component("transformer", 0),
            Component("vae", 0),
        ),
        random=True,
        dtype="float32",
        guidance=4.5,
        speech=Speech(
            clip_frames=16,
            past_frames=13,
            audio_dim=16,
            audio_layers=3,
            areas={name: width * height for name, (width, height) in S2V_SMOKE_SIZES.items()},
        ),
        about="random weights in the shape of s2v-14B, in clips of one second: makes noise",
    ),
    ModelSpec(
        name="s2v-14B",
        family="S2V-14B",
        tasks=("s2v",),
        transformer=Transformer(
            layers=40,
            heads=40,
            head_dim=128,
            ffn=13824,
            in_channels=16,
            hearing=(0, 4, 8, 12, 16, 20, 24, 27, 30, 33, 36, 39),
        ),
        vae=VAE_21,
        rate=Fraction(16),
        shift=FLOW_SHIFT["s2v-14B"],
        sizes=S2V_SIZES,
        components=(
            TEXT,
            Component("audio_encoder", 315_438_720),
            Component("transformer", 16_295_755_609, stored_bytes=2),
            DECODER_21,
        ),
        repository="Wan-AI/Wan2.2-S2V-14B",
        guidance=4.5,
        speech=Speech(),
        published=(
            Published("diffusion_pytorch_model*.safetensors", "transformer"),
            *(
                Published(f"wav2vec2-large-xlsr-53-english/{name}", "audio_encoder")
                for name in ("config.json", "preprocessor_config.json", "model.safetensors")
            ),
            *(
                Published(f"{name}/*", name, "Wan-AI/Wan2.2-T2V-A14B-Diffusers")
                for name in ("text_encoder", "tokenizer", "vae", "scheduler")
            ),
        ),
        about="speech and a reference picture to video of any length, clip by clip; one network",
    ),
)
TINY = ModelSpec(
    name="wan22-tiny",
    family="wan22-tiny",
    tasks=("ti2v", "t2v", "style"),
    transformer=Transformer(layers=6, heads=8, head_dim=32, ffn=768, in_channels=24, text_dim=128),
    vae=VaeFactors(channels=24, spatial=16),
    rate=Fraction(24),
    shift=3.0,
    sizes=MappingProxyType({"480p": (192, 128), "720p": (192, 128)}),
    components=(
        Component("text_encoder", 459_648, stored_bytes=2),
        Component("transformer", 6_217_056, stored_bytes=2),
        Component("vae", 3_785_252, stored_bytes=2),
    ),
    trained=41,
    dtype="float32",
    embedded=True,
    about="comes with the package: coloured shapes that move as free English says, in seconds on any machine",
)
WEIGHTS = Path(__file__).parent / "tiny" / "weights"
"""Where the package has the embedded model. Without it, that model is in no list."""


def listed(weights: Path) -> Mapping[str, ModelSpec]:
    """Every model by name, first the embedded one, where `weights` has it."""
    embedded = (TINY,) if (weights / "model_index.json").is_file() else ()
    return MappingProxyType({model.name: model for model in (*embedded, *_MODELS)})


CATALOGUE = listed(WEIGHTS)


def model(name: str) -> ModelSpec:
    """The model called `name`. Raises `ArtifexError` (code "model") with the nearest name where there is none."""
    found = CATALOGUE.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, CATALOGUE, n=1)
    usable = ", ".join(spec.name for spec in CATALOGUE.values() if spec.later is None)
    raise ArtifexError(
        f"use the model {name!r}",
        "no model of that name is known",
        f"{near[0]} (usable: {usable})" if near else f"one of {usable}",
        code="model",
    )


def usable(name: str) -> ModelSpec:
    """The model called `name`, refused (code "model") where it is known but not yet supported."""
    spec = model(name)
    if spec.later is not None:
        others = " or ".join(
            other.name for other in CATALOGUE.values() if other.later is None and not (other.random or other.embedded)
        )
        raise ArtifexError(f"use the model {name}", spec.later, f"{others} meanwhile", code="model")
    return spec
