"""Words that a person sees: shop names and what buyers write, in several languages.

Pools are made once for a market with Faker, seeded, and drawn from by index: never a word is made
for a row. What a buyer writes goes with the true reason, whatever reason is declared. The pool
also holds what real text fields hold: emoji, markup, other scripts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.world import World

SHOP_NAMES = 120  # per seller country
FILLED = 16  # texts per template with a word to fill in
ANY = "any"

PROVIDERS = ("address", "color", "company", "person")
SHOP_LOCALES = {"CN": "zh_CN", "TR": "tr_TR", "ES": "es_ES", "US": "en_US", "BR": "pt_BR"}
LANGUAGE_LOCALES = {
    "en": "en_US",
    "pt": "pt_BR",
    "es": "es_ES",
    "fr": "fr_FR",
    "de": "de_DE",
    "pl": "pl_PL",
    "ko": "ko_KR",
    "ja": "ja_JP",
    "ar": "ar_SA",
}


@dataclass(frozen=True)
class Texts:
    """Pools of words, and where in them the words for a country or reason lie."""

    shop_names: tuple[str, ...]
    shop_first: NDArray[np.int64]  # by seller country
    shop_size: NDArray[np.int64]
    reasons: tuple[str, ...]
    reason_first: NDArray[np.int64]  # (buyer countries, reasons)
    reason_size: NDArray[np.int64]


def make_texts(world: World, seed: int) -> Texts:
    """Make the pools of a world, the same for the same seed.

    Raises
    ------
    ValueError
        A country's language has no texts.
    """
    shops = [_shop_names(SHOP_LOCALES.get(c, "en_US"), seed) for c in world.sellers.countries]
    shop_first, shop_size = _places([len(pool) for pool in shops])
    languages = list(dict.fromkeys(c.language for c in world.buyers.countries))
    written = [_written(language, seed) for language in languages]
    pools = [pool for by_reason in written for pool in by_reason.values()]
    first, size = _places([len(pool) for pool in pools])
    keys = [(at, word) for at, by_reason in enumerate(written) for word in by_reason]
    chosen = [
        [_pool_for(keys, languages.index(c.language), word) for word in codes.REASONS]
        for c in world.buyers.countries
    ]
    return Texts(
        shop_names=tuple(name for pool in shops for name in pool),
        shop_first=shop_first,
        shop_size=shop_size,
        reasons=tuple(text for pool in pools for text in pool),
        reason_first=first[np.array(chosen)],
        reason_size=size[np.array(chosen)],
    )


def _pool_for(keys: list[tuple[int, str]], language: int, reason: str) -> int:
    key = (language, reason)
    return keys.index(key if key in keys else (language, ANY))


def _places(sizes: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    size = np.asarray(sizes)
    return np.cumsum(size) - size, size


def _shop_names(locale: str, seed: int) -> list[str]:
    fake = _faker(locale, f"{seed} shops")
    return [f"{fake.company()} Store" for _ in range(SHOP_NAMES)]


def _written(language: str, seed: int) -> dict[str, list[str]]:
    """Texts of a language by reason, templates filled with words."""
    templates = _templates()
    if language not in templates:
        raise ValueError(f"language must be one of {', '.join(templates)}, got {language!r}")
    fake = _faker(LANGUAGE_LOCALES[language], f"{seed} reasons")
    return {
        reason: [text for template in forms for text in _filled(template, fake)]
        for reason, forms in templates[language].items()
    }


def _filled(template: str, fake: Any) -> list[str]:
    if "{" not in template:
        return [template] * FILLED
    return [
        template.format(color=fake.color_name(), city=fake.city(), name=fake.first_name())
        for _ in range(FILLED)
    ]


def _templates() -> Mapping[str, Mapping[str, list[str]]]:
    file = resources.files(__package__) / "presets" / "texts.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _faker(locale: str, seed: str) -> Any:
    from faker import Faker

    fake = Faker(locale, providers=[f"faker.providers.{name}" for name in PROVIDERS])
    fake.seed_instance(f"{seed} {locale}")
    return fake
