# Funnel limits and overdispersion from the published formulas, and beta-binomial tails by VGAM.
# Run in this folder: Rscript make_funnel.R. Writes funnel_limits.csv, funnel_dispersion.csv, funnel_tails.csv.
suppressPackageStartupMessages(library(VGAM))
save_csv <- function(x, file) write.csv(format(x, digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)

# Spiegelhalter (2005), Stat Med 24:1185-1202, A.1.1
cases <- expand.grid(target = c(0.01, 0.2, 0.55, 0.93), n = c(1, 2, 7, 30, 250, 10000), level = c(0.95, 0.998))
limit <- function(p, n, t) { r <- qbinom(p, n, t); a <- (pbinom(r, n, t) - p) / (pbinom(r, n, t) - ifelse(r > 0, pbinom(r - 1, n, t), 0)); min(max((r - a) / n, 0), 1) }
cases$low <- mapply(function(t, n, l) limit((1 - l) / 2, n, t), cases$target, cases$n, cases$level)
cases$high <- mapply(function(t, n, l) limit((1 + l) / 2, n, t), cases$target, cases$n, cases$level)
save_csv(cases, "funnel_limits.csv")

# Spiegelhalter (2005), Qual Saf Health Care 14:347-351: winsorised phi, tau^2 by DerSimonian and Laird
counts <- read.csv("beta_posterior.csv"); out <- NULL
for (name in unique(counts$case)) for (w in c(0, 0.1, 0.2)) {
  x <- counts[counts$case == name, ]; t <- sum(x$k) / sum(x$n); s2 <- t * (1 - t) / x$n; y <- x$k / x$n
  z <- (y - t) / sqrt(s2); q <- quantile(z, c(w, 1 - w)); zw <- pmin(pmax(z, q[1]), q[2]); phi <- mean(zw^2)
  u <- 1 / s2; i <- length(z); tau2 <- max((i * phi - (i - 1)) / (sum(u) - sum(u^2) / sum(u)), 0)
  # consistent: phi over the mean square of a winsorised standard normal, by integration
  kept <- if (w == 0) 1 else integrate(function(v) pmin(v^2, qnorm(w)^2) * dnorm(v), -12, 12, rel.tol = 1e-12)$value
  # and the variance that brings it to 1 (Paule and Mandel 1982)
  gap <- function(v) { z <- (y - t) / sqrt(s2 + v); q <- quantile(z, c(w, 1 - w)); mean(pmin(pmax(z, q[1]), q[2])^2) - kept }
  tau2c <- if (gap(0) <= 0) 0 else uniroot(gap, c(0, 10), tol = 1e-15)$root
  out <- rbind(out, data.frame(case = name, winsorise = w, phi = phi, variance = tau2, phi_consistent = phi / kept, variance_consistent = tau2c))
}
save_csv(out, "funnel_dispersion.csv")

tails <- expand.grid(k = c(0, 1, 4, 9, 40, 60), n = c(10, 60, 400), target = c(0.1, 0.6), between = c(0, 0.002, 0.03))
tails <- tails[tails$k <= tails$n, ]
tails$p <- mapply(function(k, n, t, v) {
  cdf <- function(q) if (q < 0) 0 else if (v == 0) pbinom(q, n, t) else { m <- t * (1 - t) / v - 1; sum(dbetabinom.ab(0:q, n, t * m, (1 - t) * m)) }
  min(1, 2 * min(cdf(k), 1 - cdf(k - 1)))
}, tails$k, tails$n, tails$target, tails$between)
save_csv(tails, "funnel_tails.csv")
