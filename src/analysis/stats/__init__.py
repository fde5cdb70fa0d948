"""Counts in, estimates and intervals out: arrays only, many groups at once."""

from __future__ import annotations

from analysis.stats.comparisons.cox import Cox, cox
from analysis.stats.comparisons.cox_residuals import Proportionality, proportionality
from analysis.stats.comparisons.gray import Gray, gray_test
from analysis.stats.comparisons.logrank import LogRank, log_rank
from analysis.stats.comparisons.mean_differences import (
    MeanDifferences,
    mean_differences,
    time_lost_differences,
)
from analysis.stats.curves.cells import Cells
from analysis.stats.curves.competing import (
    IncidenceCurve,
    aalen_johansen,
    aalen_variance,
    incidence_limits,
)
from analysis.stats.curves.cure import CureFit, cure_fit
from analysis.stats.curves.cure_clusters import cure_limits
from analysis.stats.curves.durations import (
    Quantiles,
    RestrictedMean,
    restricted_mean,
    survival_limits,
    survival_quantiles,
)
from analysis.stats.curves.follow_up import FollowUp, Plateau, follow_up, plateau
from analysis.stats.curves.forecasts import PaymentCells, PaymentForecast, payment_forecast
from analysis.stats.curves.hazards import (
    Exposure,
    RateInterval,
    exposure_of,
    poisson_limits,
    rate_interval,
)
from analysis.stats.curves.interval_limits import interval_survival_limits
from analysis.stats.curves.intervals import IntervalCurve, interval_survival_at, turnbull
from analysis.stats.curves.jackknife import Jackknife
from analysis.stats.curves.pseudo import PseudoObservations, pseudo_means, pseudo_observations
from analysis.stats.curves.reading import IncidenceAt, SurvivalAt, incidence_at, survival_at
from analysis.stats.curves.survival import SurvivalCurve, kaplan_meier
from analysis.stats.curves.time_lost import TimeLost, restricted_time_lost
from analysis.stats.logit.effects import AverageEffects, FactorTests, average_effects, factor_tests
from analysis.stats.logit.logistic import LogisticFit, logistic_fit
from analysis.stats.logit.robust import ContrastVariance, clustered_variance
from analysis.stats.many_groups.exact import two_sided_p
from analysis.stats.many_groups.funnel import (
    Dispersion,
    dispersion,
    funnel_limits,
    wide_limits,
)
from analysis.stats.many_groups.mixes import MixDepartures, mix_departures
from analysis.stats.many_groups.posteriors import (
    BetaMixture,
    BetaPosterior,
    plausible_priors,
    shrunk_posterior,
)
from analysis.stats.many_groups.ranks import Ranks, rank_limits
from analysis.stats.many_groups.shrinkage import fit_beta_binomial, shrunk_rate
from analysis.stats.many_groups.spread import Spread, beta_binomial_spread
from analysis.stats.many_groups.standardising import Expected, adjusted_rates, expected_counts
from analysis.stats.multiplicity import q_values
from analysis.stats.scales import KINDS, Pair
from analysis.stats.shares.amounts import AmountShare, AmountSums, amount_share
from analysis.stats.shares.attribution import Attribution, attribute_patterns, part_interval
from analysis.stats.shares.beta_limits import clopper_pearson, jeffreys
from analysis.stats.shares.contrasts import Contrast, clustered_contrast
from analysis.stats.shares.control import ControlLimits, control_limits
from analysis.stats.shares.decomposition import RateChange, rate_change
from analysis.stats.shares.nowcast import Chance, chance_when_open, nowcast
from analysis.stats.shares.proportions import clustered_wilson, wilson
from analysis.stats.shares.ratios import (
    ClusterVariance,
    RatioInterval,
    cluster_variance,
    ratio_interval,
    residual_variance,
)
from analysis.stats.shares.score_limits import score_difference, score_ratio
from analysis.stats.shares.standardised import Standardised, standardised_share
from analysis.stats.shares.two_shares import (
    Limited,
    difference_of,
    mover_ratio,
    newcombe_difference,
    ratio_of,
)
from analysis.stats.shares.two_ways import SquareSums, two_way_interval
from analysis.stats.shares.weighted_sums import weighted_sum_variance

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
    "cure_limits",
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
