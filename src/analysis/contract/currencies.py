"""How many decimals a currency has: what a minor unit is.

Source: ISO 4217, active currencies whose minor unit is not a hundredth.
"""

from __future__ import annotations

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
MINOR_DIGITS = {**dict.fromkeys(_NONE.split(), 0), **dict.fromkeys(_THREE.split(), 3)}
USUAL_DIGITS = 2


def minor_digits(currency: str) -> int:
    """Return the number of decimals of a currency; one that is not known has two.

    Examples
    --------
    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return MINOR_DIGITS.get(str(currency).upper(), USUAL_DIGITS)
