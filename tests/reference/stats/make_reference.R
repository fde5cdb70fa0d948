# Reference values for tests/stats, from R. Run in this folder:  Rscript make_reference.R
# The spells are made up: few whole times (many ties), late entries, two groups, two causes, and
# censorings before the first event. Numbers carry 15 significant digits; empty = NA.
suppressPackageStartupMessages(library(survival))
options(digits = 15, warn = 1)
save_csv <- function(x, file) write.csv(format_numbers(x), file, row.names = FALSE, na = "", quote = FALSE)
format_numbers <- function(x) { x[] <- lapply(x, function(v) if (is.numeric(v)) ifelse(is.na(v), NA, sprintf("%.15g", v)) else v); x }

set.seed(20240229)
n <- 90
group <- rep(0:1, length.out = n)
entry <- pmax(0, sample(-6:8, n, replace = TRUE))
length_ <- 1 + rgeom(n, ifelse(group == 0, 0.12, 0.06))
censor <- 1 + rgeom(n, 0.05)
exit <- entry + pmin(length_, censor)
cause <- ifelse(length_ <= censor, sample(1:2, n, replace = TRUE, prob = c(0.7, 0.3)), 0)
exit[1:2] <- 0.5; entry[1:2] <- 0; cause[1:2] <- 0   # both groups begin with a censoring
spells <- data.frame(group, entry, exit, cause)
save_csv(spells, "made_up_spells.csv")

# Kaplan-Meier, everybody from the start ("whole") and with late entries ("late")
fits <- list(whole = quote(Surv(exit, cause > 0) ~ group), late = quote(Surv(entry, exit, cause > 0) ~ group))
kinds <- c("log-log", "log", "plain", "logit", "arcsin")
strata_of <- function(f) rep(as.integer(sub("group=", "", names(f$strata))), f$strata)
km <- NULL; qs <- NULL; means <- NULL
for (name in names(fits)) for (kind in kinds) {
  f <- survfit(eval(fits[[name]]), data = spells, conf.type = kind)
  km <- rbind(km, data.frame(entries = name, kind = kind, group = strata_of(f), time = f$time,
    n_at_risk = f$n.risk, n_event = f$n.event, n_censored = f$n.censor, survival = f$surv,
    std_error = f$surv * f$std.err, hazard = f$cumhaz, hazard_std_error = f$std.chaz, low = f$lower, high = f$upper))
  probs <- c(0.1, 0.25, 0.5, 0.75, 0.95)
  q <- quantile(f, probs = probs)
  for (g in 1:2) qs <- rbind(qs, data.frame(entries = name, kind = kind, group = g - 1, prob = probs,
    value = q$quantile[g, ], low = q$lower[g, ], high = q$upper[g, ]))
  if (kind == "log-log") for (tau in c(3, 7.5, 20)) {
    t <- summary(f, rmean = tau)$table
    means <- rbind(means, data.frame(entries = name, group = 0:1, tau = tau, mean = t[, "rmean"], std_error = t[, "se(rmean)"]))
  }
}
save_csv(km, "kaplan_meier.csv"); save_csv(qs, "survival_quantiles.csv"); save_csv(means, "restricted_means.csv")

# Aalen-Johansen. Late entries: the estimate only, survfit's jackknife is another variance there.
spells$end <- factor(spells$cause, 0:2, c("open", "first", "second"))
spells$id <- seq_len(n)
aj <- NULL
for (name in names(fits)) for (kind in c("log-log", "log", "plain")) {
  f <- if (name == "whole") survfit(Surv(exit, end) ~ group, data = spells, conf.type = kind)
       else survfit(Surv(entry, exit, end) ~ group, data = spells, id = id, conf.type = kind)
  for (state in seq_along(f$states)) aj <- rbind(aj, data.frame(entries = name, kind = kind, group = strata_of(f),
    time = f$time, cause = state - 1, share = f$pstate[, state],
    std_error = if (name == "whole") f$std.err[, state] else NA,
    low = if (name == "whole") f$lower[, state] else NA, high = if (name == "whole") f$upper[, state] else NA))
}
save_csv(aj, "aalen_johansen.csv")

# Beta-binomial: maximum of the marginal likelihood by optim from several starts, and posteriors
minus_log <- function(p, k, n) -sum(lbeta(exp(p[1]) + k, exp(p[2]) + n - k) - lbeta(exp(p[1]), exp(p[2])))
cases <- list(
  spread = list(k = c(2, 9, 5, 14, 30), n = c(10, 10, 10, 20, 40)),
  many = { m <- 1 + rgeom(120, 0.05); list(k = rbinom(120, m, rbeta(120, 4, 2)), n = m) },
  rare = { m <- 1 + rgeom(120, 0.02); list(k = rbinom(120, m, rbeta(120, 0.5, 20)), n = m) },
  large = list(k = c(51234, 70021, 64000, 40111, 58000, 61234), n = rep(100000, 6)))
bb <- NULL; post <- NULL
for (name in names(cases)) {
  x <- cases[[name]]
  best <- NULL
  for (a in c(-1, 1, 3)) for (b in c(-1, 1, 3)) {
    o <- list(par = c(a, b))
    for (again in 1:3) o <- optim(o$par, minus_log, k = x$k, n = x$n, method = "Nelder-Mead", control = list(reltol = 1e-16, maxit = 5000))
    if (is.null(best) || o$value < best$value) best <- o
  }
  bb <- rbind(bb, data.frame(case = name, alpha = exp(best$par[1]), beta = exp(best$par[2]), log_likelihood = -best$value))
  a <- 3.5 + x$k; b <- 1.5 + x$n - x$k
  post <- rbind(post, data.frame(case = name, k = x$k, n = x$n, estimate = a / (a + b), low = qbeta(0.05, a, b), high = qbeta(0.95, a, b)))
}
save_csv(bb, "beta_binomial.csv"); save_csv(post, "beta_posterior.csv")

# Wilson limits, no continuity correction
counts <- expand.grid(k = c(0, 1, 2, 5, 10, 50, 99, 100), n = c(1, 2, 10, 100, 12345), level = c(0.8, 0.95, 0.99))
counts <- counts[counts$k <= counts$n, ]
w <- t(mapply(function(k, n, level) suppressWarnings(prop.test(k, n, conf.level = level, correct = FALSE)$conf.int), counts$k, counts$n, counts$level))
save_csv(data.frame(counts, low = w[, 1], high = w[, 2]), "wilson.csv")
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "R_VERSIONS.txt")
