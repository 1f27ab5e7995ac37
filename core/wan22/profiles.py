"""The three profiles, as data: what a clip is made to spare, or to win.

A profile is a set of wishes; `plan` settles those that depend on the machine (what fits, which attention back end,
how many cards, which distilled weights are there). Without a profile a clip is computed plainly, and only what does not
fit is offloaded or stored in 8 bits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Expert, Levers, Lora, Offload, Quantise

LORAS = "loras"
"""Folder beside the models in which LoRAs lie, a folder a model."""
_STEPS = re.compile(r"(\d+)[-_ ]?steps?")
_SIDES: tuple[Expert, ...] = ("high", "low")
LEAST_CACHED_STEPS = 5
"""A step cache leaves out nothing worth having in fewer."""
Storage = tuple[Offload, Quantise]
"""Where a network's weights lie and in which format."""
PLAIN: Storage = ("none", "none")
BY_BLOCK: Storage = ("block", "none")
EIGHT_BIT: Storage = ("none", "int8")
BY_BLOCK_EIGHT_BIT: Storage = ("block", "int8")
UNCHANGED_FIRST = (PLAIN, BY_BLOCK, EIGHT_BIT, BY_BLOCK_EIGHT_BIT)
"""What changes no picture comes first."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`storage`: how the networks may be kept, the first that fits is taken. `levers`: what is wished whatever the
    machine. `fastest_attention`: the best back end that the card has. `all_cards`: one clip on all cards that divide
    its heads. `distilled`: step-distilled LoRAs where `models/loras/MODEL` has them. `averaged`: EMA weights where the
    model's folder has them."""

    name: str
    about: str
    storage: tuple[Storage, ...] = UNCHANGED_FIRST
    levers: Levers = Levers()
    fastest_attention: bool = False
    all_cards: bool = False
    distilled: bool = False
    averaged: bool = False


NOT_TAKEN: Mapping[str, str] = MappingProxyType(
    {
        "gradient checkpointing": "it saves memory in training, by computing activations again for the backward pass; "
        "making a clip has none and keeps nothing for it",
        "attention slicing": "torch's attention never holds the whole table of tokens against tokens, so that there is "
        "nothing to slice: slices would only be slower",
        "channels last": "it lays out pictures for two-dimensional convolutions; the networks are matrix products over "
        "tokens, and the VAE's convolutions are three-dimensional over streamed pieces",
        "VAE slicing": "it decodes a batch clip by clip; there is one clip, and it streams a latent frame at a time",
        "xformers": "from compute capability 8.0 on it is slower than torch's own attention; below, it is taken as "
        "attention xformers",
        "DFloat11": "it stores bfloat16 in 11 bits without loss; int8 and fp8 take less, and offload loses nothing",
    }
)
"""Ways to save time or memory that are asked for and do nothing here, or harm, and why."""
NONE = Profile("", "nothing is spared: computed plainly, offloaded or in 8 bits only where it does not fit")
_PROFILES = (
    Profile(
        "Speed",
        "the fastest attention, compiled blocks, steps taken from the step before, distilled weights, all cards",
        storage=(PLAIN, EIGHT_BIT, BY_BLOCK, BY_BLOCK_EIGHT_BIT),
        levers=Levers(compile=True, cache=0.1),
        fastest_attention=True,
        all_cards=True,
        distilled=True,
    ),
    Profile(
        "Memory",
        "weights in 8 bits brought to the card block by block, text on the processor, pictures decoded in tiles",
        storage=(BY_BLOCK_EIGHT_BIT,),
        levers=Levers(offload="block", quantise="int8", text_on_cpu=True, tile=256),
    ),
    Profile(
        "Quality",
        "averaged weights, three passes a step, steadier in time; weights never in 8 bits",
        storage=(PLAIN, BY_BLOCK),
        levers=Levers(ensemble=3, consistency=0.5, smoothing=0.5),
        averaged=True,
    ),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _PROFILES})


def profile(name: str) -> Profile:
    """The profile called `name`; "" is none. Raises `ArtifexError` (code "settings")."""
    found = NONE if not name else PROFILES.get(name)
    if found is None:
        raise ArtifexError(
            f"use the profile {name!r}", "no profile has that name", f"one of {', '.join(PROFILES)}", code="settings"
        )
    return found


def with_distilled(chosen: Profile, levers: Levers, model: ModelSpec, models: Path | None, notes: list[str]) -> Levers:
    """`levers` with the step-distilled LoRAs that the profile wants and `models` has; `notes` say where it has none."""
    if not chosen.distilled or models is None or levers.loras:
        return levers
    found = distilled_loras(models, model)
    if not found and not model.random:
        notes.append(f"{chosen.name} found no distilled weights in {models.name}/{LORAS}/{model.name}.")
    return replace(levers, loras=found)


def with_wishes(chosen: Profile, levers: Levers, steps: int, latents: int, model: ModelSpec) -> Levers:
    """`levers` with those of the profile that change the picture, where they are at their default and can act on a clip
    of `steps` steps and `latents` latent frames. What depends on the machine is settled there: see `settling`."""
    wished = chosen.levers
    able = {
        "cache": steps >= LEAST_CACHED_STEPS and not model.transformer.control,
        "ensemble": True,
        "consistency": latents >= 2,
        "smoothing": latents >= 3,
    }
    plain = Levers()
    taken = {
        name: getattr(wished, name)
        for name, can in able.items()
        if can and getattr(levers, name) == getattr(plain, name)
    }
    return replace(levers, **taken)


def distilled_loras(models: Path, model: ModelSpec) -> tuple[Lora, ...]:
    """LoRAs in `models`/loras/MODEL whose names say that they are distilled: "4steps" with "high" or "low" in them
    where the model has two experts. Empty unless every expert has one. The embedded model has the package's own where
    there are none of the artist's."""
    places = [models / LORAS / model.name]
    if model.embedded:
        places.append(catalogue.WEIGHTS.with_name(LORAS))
    return next((loras for loras in (_distilled_in(place, model) for place in places) if loras), ())


def _distilled_in(folder: Path, model: ModelSpec) -> tuple[Lora, ...]:
    found = []
    for path in sorted(folder.glob("*.safetensors")):
        steps = _STEPS.search(path.stem.lower())
        expert = _expert(path.stem.lower(), model)
        if steps and expert:
            found.append(Lora(str(path), 1.0, expert, int(steps[1])))
    loras = tuple(found)
    return loras if Levers(loras=loras).distilled else ()


def _expert(stem: str, model: ModelSpec) -> Expert | None:
    if model.experts == 1:
        return "both"
    named: list[Expert] = [expert for expert in _SIDES if expert in stem]
    return named[0] if len(named) == 1 else None
