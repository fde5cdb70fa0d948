"""Groups of counts that differ: the profile likelihood adjusted for the mean, on its logit scale.

Information by trigamma functions. Run in this folder: python make_adjusted_spread.py. Counts are
those of beta_posterior.csv, made by make_reference.R. Writes adjusted_spread.csv.
"""

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betaln, expit, polygamma
from scipy.stats import chi2


def loglik(mean, rho, k, n):
    """Log-likelihood without the binomial coefficients."""
    if rho == 0:
        return np.sum(k * np.log(mean) + (n - k) * np.log1p(-mean))
    m = 1 / rho - 1
    return np.sum(betaln(mean * m + k, (1 - mean) * m + n - k) - betaln(mean * m, (1 - mean) * m))


def information(mean, rho, k, n):
    """Information about the logit of the mean, where the likelihood is level in it."""
    scale = (mean * (1 - mean)) ** 2
    if rho == 0:
        return scale * (np.sum(k) / mean**2 + np.sum(n - k) / (1 - mean) ** 2)
    m = 1 / rho - 1
    a, b = mean * m, (1 - mean) * m
    sums = polygamma(1, a + k) - polygamma(1, a) + polygamma(1, b + n - k) - polygamma(1, b)
    return -scale * m**2 * np.sum(sums)


def best_mean(rho, k, n):
    """Likeliest mean."""
    found = minimize_scalar(
        lambda u: -loglik(expit(u), rho, k, n), (-1, 1), tol=1e-12, method="brent"
    )
    return expit(found.x)


def adjusted(rho, k, n):
    """Adjusted profile log-likelihood."""
    mean = best_mean(rho, k, n)
    return loglik(mean, rho, k, n) - np.log(information(mean, rho, k, n)) / 2


def main():
    """Write the table."""
    rows = []
    for name, case in pd.read_csv("beta_posterior.csv").groupby("case"):
        k, n = case["k"].to_numpy(), case["n"].to_numpy()
        top = minimize_scalar(
            lambda v, k=k, n=n: -adjusted(expit(v), k, n),
            bounds=(-16, 6),
            method="bounded",
            options={"xatol": 1e-10},
        )
        rho, level = expit(top.x), -top.fun - chi2.ppf(0.95, 1) / 2

        def gap(r, k=k, n=n, level=level):
            """Distance of the likelihood from where the interval ends."""
            return adjusted(r, k, n) - level

        low = 0.0 if gap(0.0) >= 0 else brentq(gap, 1e-9, rho, xtol=1e-13)
        high = brentq(gap, rho, 0.99, xtol=1e-13)
        ratio = 2 * (-top.fun - adjusted(0.0, k, n))
        p_value = 0.5 * chi2.sf(ratio, 1)
        rows.append((name, best_mean(rho, k, n), rho, low, high, ratio, p_value))
    columns = ["case", "mean", "correlation", "low", "high", "statistic", "p_value"]
    pd.DataFrame(rows, columns=columns).to_csv(
        "adjusted_spread.csv", index=False, float_format="%.15g", lineterminator="\n"
    )


if __name__ == "__main__":
    main()
