"""Words that a person sees: shop names and what buyers write, in several languages.

Pools are made once for a market with Faker, seeded, and drawn from by index: never a word is made
for a row. The pool also holds what real text fields hold: emoji, markup, other scripts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.world import World

SHOP_NAMES = 120  # per locale
TEXTS = 24  # per template

# seller country -> Faker locale
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
TEMPLATES = {
    "en": (
        "Please cancel, I ordered the wrong {color} one.",
        "Wrong address, I moved to {city}. Please cancel and refund.",
        "pls cancel asap 🙏",
        "I paid $5 extra by mistake & want to order again <b>without</b> it",
        "Hello {name}, still not shipped?? I need it before the {day}th",
        '`cancel` - found it cheaper on another site, "{color}" version too',
    ),
    "pt": (
        "Comprei a cor errada, queria {color}. Cancelem por favor.",
        "Endereço errado, agora moro em {city}.",
        "Demora demais, quero meu dinheiro de volta 😡",
        "Oi {name}, pedi duas vezes sem querer",
    ),
    "es": (
        "Me equivoqué de talla y color ({color}), cancelen por favor.",
        "La dirección está mal, debe ser {city}",
        "Ya no lo necesito, gracias {name} 🙂",
        "¿Por qué tarda tanto? Quiero cancelar.",
    ),
    "fr": (
        "Je me suis trompé de couleur, je voulais {color}.",
        "Mauvaise adresse : j'habite à {city}.",
        "Trop long, j'annule… merci {name}",
    ),
    "de": (
        "Falsche Größe bestellt, bitte stornieren. Farbe: {color}",
        "Die Adresse in {city} stimmt nicht mehr.",
        "Doppelt bestellt, sorry {name}!",
    ),
    "pl": (
        "Zły rozmiar, proszę anulować ({color})",
        "Mieszkam teraz w mieście {city}",
        "Za długo czekam 😕 {name}",
    ),
    "ko": (
        "주소가 잘못되었습니다. {city}",
        "색상을 잘못 골랐어요 ({color})",
        "취소해 주세요 {name}",
    ),
    "ja": ("住所を間違えました。{city}", "キャンセルをお願いします。{name}", "色違いです：{color}"),
    "ar": ("العنوان خطأ، أسكن في {city}", "أرجو إلغاء الطلب {name}", "طلبت اللون الخطأ {color} 😔"),
}


@dataclass(frozen=True)
class Texts:
    """Pools of words; ``first`` and ``size`` say where a language's or country's own begin."""

    shop_names: tuple[str, ...]
    shop_first: NDArray[np.int64]  # by seller country
    shop_size: NDArray[np.int64]
    reasons: tuple[str, ...]
    reason_first: NDArray[np.int64]  # by buyer country
    reason_size: NDArray[np.int64]


def make_texts(world: World, seed: int) -> Texts:
    """Make the pools of a world, the same for the same seed."""
    shops = [_shop_names(SHOP_LOCALES.get(c, "en_US"), seed) for c in world.sellers.countries]
    languages = list(dict.fromkeys(c.language for c in world.buyers.countries))
    written = {language: _reason_texts(language, seed) for language in languages}
    first, size = _places(list(written.values()))
    at = [languages.index(c.language) for c in world.buyers.countries]
    shop_first, shop_size = _places(shops)
    return Texts(
        shop_names=tuple(name for pool in shops for name in pool),
        shop_first=shop_first,
        shop_size=shop_size,
        reasons=tuple(text for pool in written.values() for text in pool),
        reason_first=first[at],
        reason_size=size[at],
    )


def _places(pools: list[list[str]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    size = np.array([len(pool) for pool in pools])
    return np.cumsum(size) - size, size


def _shop_names(locale: str, seed: int) -> list[str]:
    fake = _faker(locale, f"{seed} shops")
    return [f"{fake.company()} Store" for _ in range(SHOP_NAMES)]


def _reason_texts(language: str, seed: int) -> list[str]:
    if language not in TEMPLATES:
        raise ValueError(f"language must be one of {', '.join(TEMPLATES)}, got {language!r}")
    fake = _faker(LANGUAGE_LOCALES[language], f"{seed} reasons")
    return [
        template.format(
            color=fake.color_name(),
            city=fake.city(),
            name=fake.first_name(),
            day=fake.day_of_month(),
        )
        for template in TEMPLATES[language]
        for _ in range(TEXTS)
    ]


def _faker(locale: str, seed: str) -> object:
    from faker import Faker

    fake = Faker(locale)
    fake.seed_instance(f"{seed} {locale}")
    return fake
