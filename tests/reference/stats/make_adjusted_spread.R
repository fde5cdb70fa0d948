# Groups of counts that differ: the profile likelihood adjusted for the fitted mean, with the mean's
# information by trigamma functions. Run in this folder: Rscript make_adjusted_spread.R. Counts are
# those of beta_posterior.csv, made by make_reference.R. Writes adjusted_spread.csv.
save_csv <- function(x, file) write.csv(format(x, digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
cases <- split(read.csv("beta_posterior.csv")[, c("case", "k", "n")], read.csv("beta_posterior.csv")$case)

loglik <- function(mean, rho, k, n) {
  if (rho == 0) return(sum(k * log(mean) + (n - k) * log1p(-mean)))
  m <- 1 / rho - 1
  sum(lbeta(mean * m + k, (1 - mean) * m + n - k) - lbeta(mean * m, (1 - mean) * m))
}
information <- function(mean, rho, k, n) {
  if (rho == 0) return(sum(k) / mean^2 + sum(n - k) / (1 - mean)^2)
  m <- 1 / rho - 1
  a <- mean * m; b <- (1 - mean) * m
  -m^2 * sum(trigamma(a + k) - trigamma(a) + trigamma(b + n - k) - trigamma(b))
}
best_mean <- function(rho, k, n) {
  plogis(optimize(function(u) loglik(plogis(u), rho, k, n), c(-12, 12), maximum = TRUE, tol = 1e-12)$maximum)
}
adjusted <- function(rho, k, n) {
  mean <- best_mean(rho, k, n)
  loglik(mean, rho, k, n) - log(information(mean, rho, k, n)) / 2
}

spread <- NULL
for (name in names(cases)) {
  k <- cases[[name]]$k; n <- cases[[name]]$n
  top <- optimize(function(v) adjusted(plogis(v), k, n), c(-16, 6), maximum = TRUE, tol = 1e-10)
  rho <- plogis(top$maximum); none <- adjusted(0, k, n)
  gap <- function(r) adjusted(r, k, n) - top$objective + qchisq(0.95, 1) / 2
  low <- if (gap(0) >= 0) 0 else uniroot(gap, c(1e-9, rho), tol = 1e-13)$root
  high <- uniroot(gap, c(rho, 0.99), tol = 1e-13)$root
  lr <- 2 * (top$objective - none)
  spread <- rbind(spread, data.frame(case = name, mean = best_mean(rho, k, n), correlation = rho, low = low,
    high = high, statistic = lr, p_value = 0.5 * pchisq(lr, 1, lower.tail = FALSE)))
}
save_csv(spread, "adjusted_spread.csv")
