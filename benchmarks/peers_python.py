"""What others' Python libraries do on the same rows: ``python peers_python.py FOLDER WORK PEER``.

Runs in an environment of its own (``peers.txt``), one work in one process, and prints seconds and
the values that are compared, as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from statistics_data import Data, read

AT_HOURS = np.array([72, 168, 336])
SLOW = 10.0  # seconds; what has taken so long is not run again


def aalen_johansen_hours__statsmodels(data: Data) -> list[float]:
    return _incidences(data.hours, data.cause, AT_HOURS)


def aalen_johansen_exact__statsmodels(data: Data) -> list[float]:
    return _incidences(data.days, data.cause, AT_HOURS / 24)


def _incidences(time_: np.ndarray, cause: np.ndarray, at: np.ndarray) -> list[float]:
    from statsmodels.duration.survfunc import CumIncidenceRight

    found = CumIncidenceRight(time_, cause)
    rows = np.searchsorted(found.times, at, side="right") - 1
    return np.concatenate([curve[rows] for curve in found.cinc]).tolist()


def aalen_johansen_hours__lifelines(data: Data) -> list[float]:
    from lifelines import AalenJohansenFitter

    fitter = AalenJohansenFitter(calculate_variance=True, seed=1)
    fitter.fit(data.hours, data.cause, event_of_interest=1)
    return fitter.predict(AT_HOURS).to_numpy().ravel().tolist()


def kaplan_meier_sellers__statsmodels(data: Data) -> list[float]:
    from statsmodels.duration.survfunc import SurvfuncRight

    found = []
    order = np.argsort(data.seller, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(data.seller[order])) + 1):
        one = SurvfuncRight(data.hours[rows], data.cause[rows] > 0)
        at = np.searchsorted(one.surv_times, 168, side="right")
        found.append(float(np.append(1.0, one.surv_prob)[at]))
    return found


def kaplan_meier_sellers__lifelines(data: Data) -> list[float]:
    from lifelines import KaplanMeierFitter

    found = []
    order = np.argsort(data.seller, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(data.seller[order])) + 1):
        one = KaplanMeierFitter().fit(data.hours[rows], data.cause[rows] > 0)
        found.append(float(one.predict(168)))
    return found


def log_rank__statsmodels(data: Data) -> list[float]:
    from statsmodels.duration.survfunc import survdiff

    return [float(survdiff(data.hours, data.cause > 0, data.arm)[0])]


def log_rank__lifelines(data: Data) -> list[float]:
    from lifelines.statistics import logrank_test

    one = data.arm == 0
    ends = data.cause > 0
    found = logrank_test(data.hours[one], data.hours[~one], ends[one], ends[~one])
    return [float(found.test_statistic)]


def cox__lifelines(data: Data) -> list[float]:
    import pandas as pd
    from lifelines import CoxPHFitter

    frame = pd.DataFrame(data.covariates, columns=[f"x{i}" for i in range(6)])
    frame = frame.assign(time=data.hours, end=data.cause > 0)
    return CoxPHFitter().fit(frame, "time", "end").params_.tolist()


def _design(data: Data) -> np.ndarray:
    columns = [np.ones(len(data.success))]
    for codes in data.codes.T:
        columns += [(codes == level).astype(float) for level in range(1, codes.max() + 1)]
    return np.stack(columns, axis=1)


def logistic__statsmodels(data: Data) -> list[float]:
    import statsmodels.api as sm

    return sm.Logit(data.success, _design(data)).fit(disp=0).params.tolist()


def logistic__sklearn(data: Data) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, solver="newton-cholesky", fit_intercept=False, tol=1e-10)
    return model.fit(_design(data), data.success).coef_[0].tolist()


def wilson__statsmodels(data: Data) -> list[float]:
    from statsmodels.stats.proportion import proportion_confint

    return _ends(proportion_confint(data.k, data.n, method="wilson"))


def jeffreys__statsmodels(data: Data) -> list[float]:
    from statsmodels.stats.proportion import proportion_confint

    return _ends(proportion_confint(data.k, data.n, method="jeffreys"))


def _ends(limits: tuple[np.ndarray, np.ndarray]) -> list[float]:
    return [float(value) for limit in limits for value in np.asarray(limit)[:1000]]


def timed(job: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Return the median seconds of three runs, or those of one slow run, and the values."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < SLOW:
        start = time.perf_counter()
        values = job()
        times.append(time.perf_counter() - start)
    return statistics.median(times), values


def first_rows(data: Data, n: int = 2_000) -> Data:
    """Return a few rows, on which a work runs once before it is timed (imports and caches)."""
    return Data(*(column[:n] for column in data))


def main() -> None:
    """Run one work and print what came of it."""
    folder, work, peer = sys.argv[1:]
    job = globals()[f"{work}__{peer}"]
    data = read(Path(folder))
    job(first_rows(data))
    seconds, values = timed(lambda: job(data))
    print(json.dumps({"seconds": seconds, "values": values}))


if __name__ == "__main__":
    main()
