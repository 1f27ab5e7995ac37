"""Runs the reference implementation of Wan2.2-S2V on tiny weights and keeps what comes out, for the tests here.

    python make_reference.py CHECKOUT [OUT]

CHECKOUT is a clone of Wan-Video/Wan2.2 (the file here was made at commit 42bf4cf); `einops` and `easydict` must be
installed beside what this project needs. Nothing of that code is in this repository: it is imported from the checkout,
and what it needs of a card is replaced from outside (flash attention by PyTorch's, the libraries that read files by
nothing). Weights and inputs come from `values`, a frozen generator of uniform numbers, so that only outputs are stored;
shapes of weights travel in the file's metadata under "shapes".

The film is the reference's whole `WanS2V.generate` in two clips of 8 frames that go on from 13: its own loop, scheduler
and motion frames around its own tiny network, with a tiny VAE of diffusers and given text and speech features.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
import zlib
from pathlib import Path
from typing import Any

import numpy
import torch

LATENTS = (3, 8, 16)
TEXT = (12, 32)
AUDIO_DIM, AUDIO_LAYERS = 12, 25
NETWORK: dict[str, Any] = {
    "dim": 48,
    "ffn_dim": 64,
    "freq_dim": 64,
    "text_dim": 32,
    "text_len": 12,
    "num_heads": 4,
    "num_layers": 3,
    "audio_dim": AUDIO_DIM,
    "audio_inject_layers": [0, 2],
    "cond_dim": 16,
    "enable_adain": True,
    "adain_mode": "attn_norm",
    "zero_timestep": True,
    "enable_motioner": False,
    "enable_framepack": True,
    "framepack_drop_mode": "padd",
    "add_last_motion": True,
    "enable_tsm": False,
}
VAE: dict[str, Any] = {
    "base_dim": 4,
    "z_dim": 16,
    "dim_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "temperal_downsample": [False, True, True],
}
FILM: dict[str, Any] = {
    "frames": 8,
    "past": 13,
    "side": 64,
    "steps": 2,
    "shift": 3.0,
    "guidance": 4.5,
    "seed": 11,
    "clips": 2,
    "poses": 11,
}
FILMS = [("film", False, False), ("film from the picture", True, False), ("film with poses", True, True)]
"""Name, whether it goes on from the picture, whether it has poses."""
TIMESTEP = 637
SIZES = [(480, 832), (832, 480), (720, 1280), (1024, 704), (333, 517), (2160, 3840), (64, 64), (1000, 1000)]
AREAS = [480 * 832, 1024 * 704]
LENGTHS = [149, 250, 251, 31, 400]
"""Speech features at 50 a second: 250 are the five seconds of one clip."""


def values(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The same numbers wherever they are made: uniform from numpy's frozen generator, seeded by the name."""
    drawn = numpy.random.RandomState(zlib.crc32(name.encode())).uniform(-1.0, 1.0, shape)
    return torch.from_numpy(drawn.astype(numpy.float32))


def weight(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor of a network: of the size that keeps activations near 1."""
    drawn = values(name, shape)
    last = name.rpartition(".")[2]
    if last == "weights":
        return 0.01 + 0.005 * drawn
    if last == "gamma" or (last == "weight" and len(shape) == 1):
        return 1 + 0.1 * drawn
    if last == "weight" and "cond_mask" not in name:
        return drawn * (3 / numpy.prod(shape[1:])) ** 0.5
    return 0.3 * drawn


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return {name: weight(name, tuple(shape)) for name, shape in shapes.items()}


def inputs() -> dict[str, torch.Tensor]:
    """What the networks are shown, with a batch of one."""
    frames, rows, columns = LATENTS
    return {
        "latents": values("latents", (1, 16, *LATENTS)),
        "text": values("text", (1, *TEXT)),
        "audio": values("audio", (1, AUDIO_LAYERS, AUDIO_DIM, 4 * frames)),
        "reference": values("reference", (1, 16, 1, rows, columns)),
        "past": values("past", (1, 16, 19, rows, columns)),
        "pose": values("pose", (1, 16, *LATENTS)),
    }


def film_inputs() -> dict[str, torch.Tensor]:
    """Text and speech features of the film, and its picture (side, side, 3) in whole 256ths."""
    side, frames = FILM["side"], FILM["frames"] * FILM["clips"]
    picture = (values("picture", (side, side, 3)) * 127.5 + 127.5).round().clamp(0, 255) / 255
    return {
        "show": values("show", (1, *TEXT)),
        "avoid": values("avoid", (1, *TEXT)),
        "audio": values("film audio", (1, AUDIO_LAYERS, AUDIO_DIM, frames)),
        "picture": picture,
        "poses": (values("poses", (FILM["poses"], side, side, 3)) * 127.5 + 127.5).round().clamp(0, 255) / 255,
    }


def tiny_vae() -> Any:
    """Its biases are moved by 1: the few channels of so small a VAE would else nearly vanish here and there, and its
    norms blow up rounding a hundredfold."""
    from diffusers import AutoencoderKLWan

    vae: Any = AutoencoderKLWan(**VAE)
    drawn = weights({name: tuple(tensor.shape) for name, tensor in vae.state_dict().items()})
    for name in drawn:
        if name.endswith("bias") and "conv_out" not in name and "quant" not in name:
            drawn[name] += 1
    vae.load_state_dict(drawn)
    return vae.eval()


class Empty(types.ModuleType):
    """A library that is imported and never used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


def import_reference(checkout: Path) -> Any:
    """`wan.speech2video` of the checkout, without the package's other models and without a card."""
    from diffusers import AutoencoderKLWan, ModelMixin  # noqa: F401  (both libraries ask for torchvision as they load)
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor  # noqa: F401

    for name in ("decord", "librosa", "torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
        sys.modules[name] = Empty(name)
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]
    for name in ("wan", "wan.modules", "wan.modules.s2v", "wan.distributed", "wan.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(checkout.joinpath(*name.split(".")))]
        sys.modules[name] = package
    for name in ("wan.modules.t5", "wan.distributed.fsdp"):
        sys.modules[name] = Empty(name)
    attending = [importlib.import_module(f"wan.modules.{name}") for name in ("model", "s2v.model_s2v", "s2v.motioner")]

    def attention(q: Any, k: Any, v: Any, **_: Any) -> Any:
        answer = torch.nn.functional.scaled_dot_product_attention(*(part.transpose(1, 2) for part in (q, k, v)))
        return answer.transpose(1, 2)

    for module in attending:
        module.flash_attention = attention  # type: ignore[attr-defined]
    return importlib.import_module("wan.speech2video")


def network(reference: Any) -> Any:
    model = reference.WanModel_S2V(**NETWORK)
    model.load_state_dict(weights({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}))
    return model.eval()


def of_modules(model: Any) -> dict[str, torch.Tensor]:
    """Outputs of the whole network in each of its uses, and of its parts on the way."""
    given = inputs()
    kept: dict[str, torch.Tensor] = {}
    inject = model.after_transformer_block

    def watched(index: int, states: torch.Tensor) -> torch.Tensor:
        if index == 0:
            kept["before sound"] = states.clone()
        states = inject(index, states)
        if index == 0:
            kept["after sound"] = states.clone()
        return states

    def run(past: bool = True, pose: bool = True, sound: bool = True) -> torch.Tensor:
        answer = model(
            [given["latents"][0]],
            torch.tensor([TIMESTEP]),
            [given["text"][0]],
            0,
            ref_latents=given["reference"],
            motion_latents=given["past"],
            cond_states=given["pose"] if pose else given["pose"] * 0,
            audio_input=given["audio"] if sound else given["audio"] * 0,
            motion_frames=[73, 19],
            drop_motion_frames=not past,
        )
        return answer[0]

    model.after_transformer_block = watched
    kept["whole"] = run()
    model.after_transformer_block = inject
    kept["sound tokens"], kept["sound style"] = model.merged_audio_emb, model.audio_emb_global[:, :, 0]
    kept["rotations"] = torch.view_as_real(model.pre_compute_freqs)[0, :, 0].float()
    kept["past tokens"] = model.frame_packer(given["past"])[0][0]
    kept["short past tokens"] = model.frame_packer(given["past"][:, :, -5:])[0][0]
    kept["first clip"] = run(past=False)
    kept["no pose"] = run(pose=False)
    kept["no sound"] = run(sound=False)
    return kept


def of_sound(reference: Any) -> dict[str, torch.Tensor]:
    """Speech features of several lengths brought to 16 frames a second, from those at 50 a second."""
    resampled = importlib.import_module("wan.modules.s2v.audio_encoder").linear_interpolation
    encoder = object.__new__(reference.AudioEncoder)
    encoder.video_rate = 30
    kept = {}
    for length in LENGTHS:
        features = values(f"speech {length}", (3, length, 2))
        thirty = resampled(features, input_fps=50, output_fps=30)
        buckets, clips = encoder.get_audio_embed_bucket_fps(thirty, fps=16, batch_frames=80, m=0)
        kept[f"buckets {length}"] = buckets
        kept[f"clips {length}"] = torch.tensor(clips)
    return kept


def of_sizes(reference: Any) -> dict[str, torch.Tensor]:
    """(height, width) for each area and each (height, width) of a picture."""
    found = [
        reference.WanS2V.get_size_less_than_area(None, height, width, target_area=area)
        for area in AREAS
        for height, width in SIZES
    ]
    return {"sizes": torch.tensor(found)}


def of_film(reference: Any, model: Any, folder: Path, init_first_frame: bool, posed: bool) -> torch.Tensor:
    """Frames (T, H, W, 3) in 0..1 of two clips by the reference's own loop, every fourth pixel."""
    import cv2

    given, vae = film_inputs(), tiny_vae()
    path = folder / "picture.png"
    cv2.imwrite(str(path), (given["picture"] * 255).round().to(torch.uint8).flip(-1).numpy())
    mean, deviation = (torch.tensor(vae.config[name]).view(1, 16, 1, 1, 1) for name in ("latents_mean", "latents_std"))

    def encode(videos: Any) -> list[torch.Tensor]:
        return [(vae.encode(video[None]).latent_dist.mode() - mean)[0] / deviation[0] for video in videos]

    def decode(latents: Any) -> list[torch.Tensor]:
        return [vae.decode(one[None] * deviation + mean).sample[0].clamp(-1, 1) for one in latents]

    film = object.__new__(reference.WanS2V)
    film.vae = types.SimpleNamespace(encode=encode, decode=decode, dtype=torch.float32, device="cpu")
    film.text_encoder = lambda prompts, device: [given["show" if prompts == ["show"] else "avoid"][0]]
    film.encode_audio = lambda path, infer_frames: (given["audio"], FILM["clips"])
    film.noise_model, film.device, film.param_dtype = model, torch.device("cpu"), torch.float32
    film.t5_cpu, film.init_on_cpu, film.rank, film.num_train_timesteps = True, False, 0, 1000
    film.motion_frames, film.drop_first_motion, film.fps = FILM["past"], True, 16
    film.get_gen_size = lambda **_: (FILM["side"], FILM["side"])
    film.read_last_n_frames = lambda *_, **__: (given["poses"] * 255).round().to(torch.uint8).numpy()
    same = lambda _: lambda picture: picture  # noqa: E731
    reference.transforms.Resize = reference.transforms.CenterCrop = same
    reference.transforms.ToTensor = lambda: (
        lambda picture: torch.from_numpy(numpy.array(picture)).permute(2, 0, 1) / 255
    )
    made = film.generate(
        "show",
        str(path),
        "",
        False,
        None,
        None,
        None,
        num_repeat=FILM["clips"],
        pose_video="poses" if posed else None,
        infer_frames=FILM["frames"],
        shift=FILM["shift"],
        sampling_steps=FILM["steps"],
        guide_scale=FILM["guidance"],
        n_prompt="avoid",
        seed=FILM["seed"],
        offload_model=False,
        init_first_frame=init_first_frame,
    )
    return (made.permute(1, 2, 3, 0)[:, ::4, ::4] * 0.5 + 0.5).contiguous()


def main(checkout: Path, out: Path) -> None:
    import tempfile

    from safetensors.torch import save_file

    reference = import_reference(checkout)
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        model = network(reference)
        shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
        kept = of_modules(model) | of_sound(reference) | of_sizes(reference)
        for name, first, posed in FILMS:
            kept[name] = of_film(reference, model, Path(folder), first, posed)
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in kept.items()}
    save_file(tensors, out, metadata={"shapes": json.dumps(shapes, separators=(",", ":"))})
    for name, tensor in tensors.items():
        spread = float(tensor.float().std()) if tensor.numel() > 1 else 0.0
        print(f"{name:24} {tuple(tensor.shape)!s:24} deviation {spread:.3f}")


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("reference.safetensors")
    main(Path(sys.argv[1]), target)
