# Reference values of amounts, from R (survival, survey). Run in this folder:  Rscript make_money.R
# Made-up refunds of two methods from sellers of different speed; 40 clusters; whole days.
suppressPackageStartupMessages({library(survival); library(survey)})
options(digits = 15)
save_csv <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.15g", v) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
set.seed(20261126)
n <- 260
seller <- sample(1:40, n, replace = TRUE, prob = (1:40)^-0.7)
method <- sample(0:1, n, replace = TRUE)
speed <- exp(rnorm(40, 0, 0.4))
wait <- ceiling(rweibull(n, 1.4, ifelse(method == 0, 9, 4)) * speed[seller])
age <- sample(0:24, n, replace = TRUE)
paid <- as.integer(wait <= age)
time <- pmin(wait, age)
amount <- round(exp(rnorm(n, 8, 0.7)))
legs <- data.frame(method, time, paid, amount, seller)
save_csv(legs, "made_up_legs.csv")

# Amount expected within h of those open: sum A (1 - S(a + h) / S(a)); its standard error from the
# influence functions that survfit returns, summed by seller, times C / (C - 1).
out <- NULL
for (h in c(1, 3, 7, 25)) {
  expected <- 0; influence <- numeric(n); unknown <- 0
  for (m in 0:1) {
    own <- which(method == m)
    f <- survfit(Surv(time, paid) ~ 1, data = legs[own, ], influence = 1)
    at <- function(t) findInterval(t, f$time)
    s <- function(t) c(1, f$surv)[at(t) + 1]
    d <- function(t) if (at(t) == 0) numeric(length(own)) else f$influence.surv[, at(t)]
    for (i in own[paid[own] == 0]) {
      a <- time[i]; share <- s(a + h) / s(a)
      expected <- expected + amount[i] * (1 - share)
      if (a + h > max(f$time) && share > 0) unknown <- unknown + amount[i] * share
      influence[own] <- influence[own] - amount[i] * (d(a + h) / s(a) - s(a + h) / s(a)^2 * d(a))
    }
  }
  by_seller <- tapply(influence, seller, sum)
  clusters <- length(by_seller)
  out <- rbind(out, data.frame(horizon = h, expected, unknown, n_clusters = clusters,
    variance = sum(by_seller^2) * clusters / (clusters - 1), variance_alone = sum(influence^2)))
}
save_csv(out, "payment_forecast.csv")

# Share of money: a ratio of totals over 25 sellers that all lost the same amount, in 4 orders each
whole <- rep(c(100, 250, 400, 250), 25)
part <- round(whole * rbeta(100, 1, 2) * rbinom(100, 1, rep(rbeta(25, 2, 2), each = 4)))
shares <- data.frame(seller = rep(1:25, each = 4), part, whole)
save_csv(shares, "made_up_amounts.csv")
r <- svyratio(~part, ~whole, svydesign(ids = ~seller, data = shares, weights = rep(1, 100)))
save_csv(data.frame(estimate = as.numeric(r$ratio), variance = as.numeric(r$var)), "amount_share.csv")
