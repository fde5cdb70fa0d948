# Reference values for tests/parity/times.py, from R. Run in this folder:  Rscript make_times.R
# Uses the made-up spells of make_reference.R (run that first). Numbers carry 15 significant digits.
suppressPackageStartupMessages(library(survival))
options(digits = 15, warn = 1)
save_csv <- function(x, file) { x[] <- lapply(x, function(v) if (is.numeric(v)) ifelse(is.na(v), NA, sprintf("%.15g", v)) else v)
  write.csv(x, file, row.names = FALSE, na = "", quote = FALSE) }
spells <- read.csv("made_up_spells.csv")
spells$end <- factor(spells$cause, 0:2, c("open", "first", "second"))
spells$id <- seq_len(nrow(spells))

# Time lost to each cause: mean time in its state up to tau, by survfit's influence functions
lost <- NULL
for (tau in c(3, 7.5, 12)) {
  t <- summary(survfit(Surv(exit, end) ~ group, data = spells, influence = TRUE), rmean = tau)$table
  lost <- rbind(lost, data.frame(tau = tau, group = rep(0:1, 3), cause = rep(0:2, each = 2),
    mean = t[, "rmean"], std_error = t[, "se(rmean)"]))
}
save_csv(lost, "time_lost.csv")

# Spells of 14 unequal clusters in two groups, with ties, late entries and sampling weights
set.seed(7171)
n <- 140
cluster <- pmin(1 + rgeom(n, 0.16), 14)
group <- sample(0:1, n, replace = TRUE)
entry <- pmax(0, sample(-9:6, n, replace = TRUE))
length_ <- 1 + rgeom(n, 0.08 + 0.01 * cluster)
censor <- 1 + rgeom(n, 0.04)
exit <- entry + pmin(length_, censor)
cause <- ifelse(length_ <= censor, sample(1:2, n, replace = TRUE, prob = c(0.6, 0.4)), 0)
weight <- sample(c(0.5, 1, 2, 3.25), n, replace = TRUE)
spells <- data.frame(group, cluster, entry, exit, cause, weight)
save_csv(spells, "clustered_spells.csv")
spells$end <- factor(spells$cause, 0:2, c("open", "first", "second"))
spells$id <- seq_len(n)
spells$unit <- 1

# one row per design: which spells are late, weighted, clustered by what
designs <- expand.grid(entries = c("whole", "late"), weights = c("unit", "weight"), cluster = c("cluster", "id"), stringsAsFactors = FALSE)
strata_of <- function(f) rep(as.integer(sub("group=", "", names(f$strata))), f$strata)
km <- NULL; aj <- NULL; means <- NULL; qs <- NULL
area <- function(time, value, tau) { # integral of a step function that is 0 before its first time
  keep <- time < tau; sum(value[keep] * diff(c(time[keep], tau))) }
for (i in seq_len(nrow(designs))) { d <- as.list(designs[i, ])
  w <- spells[[d$weights]]; cl <- spells[[d$cluster]]
  one <- if (d$entries == "whole") Surv(spells$exit, spells$cause > 0) else Surv(spells$entry, spells$exit, spells$cause > 0)
  many <- if (d$entries == "whole") Surv(spells$exit, spells$end) else Surv(spells$entry, spells$exit, spells$end)
  f <- survfit(one ~ group, data = spells, weights = w, id = id, cluster = cl, robust = TRUE, conf.type = "log-log")
  error <- if (isTRUE(f$logse)) f$surv * f$std.err else f$std.err
  km <- rbind(km, data.frame(d, group = strata_of(f), time = f$time, survival = f$surv, std_error = error,
    hazard = f$cumhaz, hazard_std_error = f$std.chaz, low = f$lower, high = f$upper))
  probs <- c(0.1, 0.25, 0.5, 0.75)
  q <- quantile(f, probs = probs)
  for (g in 1:2) qs <- rbind(qs, data.frame(d, group = g - 1, prob = probs, value = q$quantile[g, ], low = q$lower[g, ], high = q$upper[g, ]))
  for (g in 0:1) { own <- spells$group == g
    f <- survfit(many[own] ~ 1, data = spells[own, ], weights = w[own], id = id, robust = TRUE, influence = TRUE)
    moves <- f$influence.pstate[, -1, ] * w[own] # spells x times x states; survfit itself ignores clusters here
    error <- sqrt(apply(moves, 2:3, function(v) sum(rowsum(v, cl[own])^2)))
    if (d$cluster == "id") stopifnot(all.equal(c(error), c(f$std.err)))
    for (state in 1:3) aj <- rbind(aj, data.frame(d, group = g, time = f$time, cause = state - 1, share = f$pstate[, state],
      std_error = error[, state]))
    for (tau in c(6, 12)) for (state in 1:3) {
      each <- apply(moves[, , state], 1, function(v) area(f$time, v, tau))
      mean <- area(c(0, f$time), c(state == 1, f$pstate[, state]), tau)
      means <- rbind(means, data.frame(d, group = g, tau = tau, cause = state - 1, mean = mean, std_error = sqrt(sum(rowsum(each, cl[own])^2))))
    } }
}
save_csv(km, "jackknife_survival.csv"); save_csv(aj, "jackknife_incidence.csv")
save_csv(means, "jackknife_means.csv"); save_csv(qs, "jackknife_quantiles.csv")

# Pseudo-observations by leaving out one spell after the other (the made-up spells, from the start)
made <- read.csv("made_up_spells.csv")
made$end <- factor(made$cause, 0:2, c("open", "first", "second"))
at <- function(f, t, state) { i <- findInterval(t, f$time); if (i == 0) as.numeric(state == 1) else f$pstate[i, state] }
times <- c(0.25, 2, 5, 9, 14)
pseudo <- NULL
for (g in 0:1) { own <- made[made$group == g, ]; n <- nrow(own)
  values <- function(data) { f <- survfit(Surv(exit, end) ~ 1, data = data)
    shares <- sapply(times, function(t) sapply(1:3, function(s) at(f, t, s)))
    c(shares, area(c(0, f$time), c(1, f$pstate[, 1]), 8)) }
  all_ <- values(own)
  for (i in seq_len(n)) { p <- n * all_ - (n - 1) * values(own[-i, ])
    pseudo <- rbind(pseudo, data.frame(group = g, exit = own$exit[i], cause = own$cause[i], time = c(rep(times, each = 3), 8),
      quantity = c(rep(c("survival", "first", "second"), length(times)), "mean"), pseudo = p)) } }
save_csv(unique(pseudo), "pseudo_observations.csv")
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "R_VERSIONS_times.txt")
