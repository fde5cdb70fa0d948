"""Counts in, estimates and intervals out: arrays only, many groups at once."""

from __future__ import annotations

from analysis.stats.amounts import AmountShare, AmountSums, amount_share
from analysis.stats.attribution import Attribution, attribute_patterns, part_interval
from analysis.stats.beta_limits import clopper_pearson, jeffreys
from analysis.stats.cells import Cells
from analysis.stats.competing import (
    IncidenceCurve,
    aalen_johansen,
    aalen_variance,
    incidence_limits,
)
from analysis.stats.contrasts import Contrast, clustered_contrast
from analysis.stats.control import ControlLimits, control_limits
from analysis.stats.cox import Cox, cox
from analysis.stats.cox_residuals import Proportionality, proportionality
from analysis.stats.cure import CureFit, cure_fit
from analysis.stats.decomposition import RateChange, rate_change
from analysis.stats.durations import (
    Quantiles,
    RestrictedMean,
    restricted_mean,
    survival_quantiles,
)
from analysis.stats.effects import AverageEffects, FactorTests, average_effects, factor_tests
from analysis.stats.follow_up import FollowUp, Plateau, follow_up, plateau
from analysis.stats.forecasts import PaymentCells, PaymentForecast, payment_forecast
from analysis.stats.funnel import (
    Dispersion,
    dispersion,
    funnel_limits,
    two_sided_p,
    wide_limits,
)
from analysis.stats.gray import Gray, gray_test
from analysis.stats.hazards import (
    Exposure,
    RateInterval,
    exposure_of,
    poisson_limits,
    rate_interval,
)
from analysis.stats.intervals import (
    IntervalCurve,
    interval_survival_at,
    interval_survival_limits,
    turnbull,
)
from analysis.stats.jackknife import Jackknife
from analysis.stats.logistic import LogisticFit, logistic_fit
from analysis.stats.logrank import LogRank, log_rank
from analysis.stats.mean_differences import (
    MeanDifferences,
    mean_differences,
    time_lost_differences,
)
from analysis.stats.mixes import MixDepartures, mix_departures
from analysis.stats.multiplicity import q_values
from analysis.stats.nowcast import Chance, chance_when_open, nowcast
from analysis.stats.posteriors import (
    BetaMixture,
    BetaPosterior,
    plausible_priors,
    shrunk_posterior,
)
from analysis.stats.proportions import clustered_wilson, wilson
from analysis.stats.pseudo import PseudoObservations, pseudo_means, pseudo_observations
from analysis.stats.ranks import Ranks, rank_limits
from analysis.stats.ratios import (
    ClusterVariance,
    RatioInterval,
    cluster_variance,
    ratio_interval,
    residual_variance,
)
from analysis.stats.reading import IncidenceAt, SurvivalAt, incidence_at, survival_at
from analysis.stats.robust import ContrastVariance, clustered_variance
from analysis.stats.scales import KINDS, Pair
from analysis.stats.score_limits import score_difference, score_ratio
from analysis.stats.shrinkage import fit_beta_binomial, shrunk_rate
from analysis.stats.spread import Spread, beta_binomial_spread
from analysis.stats.standardised import Standardised, standardised_share
from analysis.stats.standardising import Expected, adjusted_rates, expected_counts
from analysis.stats.survival import SurvivalCurve, kaplan_meier, survival_limits
from analysis.stats.time_lost import TimeLost, restricted_time_lost
from analysis.stats.two_shares import (
    Limited,
    difference_of,
    mover_ratio,
    newcombe_difference,
    ratio_of,
)
from analysis.stats.two_ways import SquareSums, two_way_interval
from analysis.stats.weighted_sums import weighted_sum_variance

__all__ = [
    "KINDS",
    "AmountShare",
    "AmountSums",
    "Attribution",
    "AverageEffects",
    "BetaMixture",
    "BetaPosterior",
    "Cells",
    "Chance",
    "ClusterVariance",
    "Contrast",
    "ContrastVariance",
    "ControlLimits",
    "Cox",
    "CureFit",
    "Dispersion",
    "Expected",
    "Exposure",
    "FactorTests",
    "FollowUp",
    "Gray",
    "IncidenceAt",
    "IncidenceCurve",
    "IntervalCurve",
    "Jackknife",
    "Limited",
    "LogRank",
    "LogisticFit",
    "MeanDifferences",
    "MixDepartures",
    "Pair",
    "PaymentCells",
    "PaymentForecast",
    "Plateau",
    "Proportionality",
    "PseudoObservations",
    "Quantiles",
    "Ranks",
    "RateChange",
    "RateInterval",
    "RatioInterval",
    "RestrictedMean",
    "Spread",
    "SquareSums",
    "Standardised",
    "SurvivalAt",
    "SurvivalCurve",
    "TimeLost",
    "aalen_johansen",
    "aalen_variance",
    "adjusted_rates",
    "amount_share",
    "attribute_patterns",
    "average_effects",
    "beta_binomial_spread",
    "chance_when_open",
    "clopper_pearson",
    "cluster_variance",
    "clustered_contrast",
    "clustered_variance",
    "clustered_wilson",
    "control_limits",
    "cox",
    "cure_fit",
    "difference_of",
    "dispersion",
    "expected_counts",
    "exposure_of",
    "factor_tests",
    "fit_beta_binomial",
    "follow_up",
    "funnel_limits",
    "gray_test",
    "incidence_at",
    "incidence_limits",
    "interval_survival_at",
    "interval_survival_limits",
    "jeffreys",
    "kaplan_meier",
    "log_rank",
    "logistic_fit",
    "mean_differences",
    "mix_departures",
    "mover_ratio",
    "newcombe_difference",
    "nowcast",
    "part_interval",
    "payment_forecast",
    "plateau",
    "plausible_priors",
    "poisson_limits",
    "proportionality",
    "pseudo_means",
    "pseudo_observations",
    "q_values",
    "rank_limits",
    "rate_change",
    "rate_interval",
    "ratio_interval",
    "ratio_of",
    "residual_variance",
    "restricted_mean",
    "restricted_time_lost",
    "score_difference",
    "score_ratio",
    "shrunk_posterior",
    "shrunk_rate",
    "standardised_share",
    "survival_at",
    "survival_limits",
    "survival_quantiles",
    "time_lost_differences",
    "turnbull",
    "two_sided_p",
    "two_way_interval",
    "weighted_sum_variance",
    "wide_limits",
    "wilson",
]
