# Reference values for single shares and pairs of shares, from R 4.2.2 (base) and Epi 2.47.
# Run in this folder:  Rscript make_two_shares.R
# Jeffreys: qbeta; Clopper-Pearson: binom.test; Newcombe: Epi::ci.pd(method = "Nc").
# Miettinen-Nurminen, Mee and Koopman: written here from the definition. The likelihood under a
# stated difference or ratio is maximised with optimize(), the limits are found with uniroot().
suppressPackageStartupMessages(library(Epi))
options(digits = 15)
save_csv <- function(x, file) {
  x[] <- lapply(x, function(v) ifelse(is.na(v), NA, sprintf("%.15g", v)))
  write.csv(x, file, row.names = FALSE, na = "", quote = FALSE)
}

# single shares
cells <- rbind(expand.grid(k = 0:12, n = 12), expand.grid(k = c(0:3, 7, 150, 499, 500, 501, 993, 998:1000), n = 1000),
  expand.grid(k = c(0, 1, 40, 99, 100, 5e4, 99900, 99960, 1e5 - 1, 1e5), n = 1e5),
  expand.grid(k = c(0, 1, 5, 60, 800, 2000, 5e8, 1e9 - 1600, 1e9 - 4), n = 1e9), data.frame(k = c(0, 1), n = c(1, 1)))
single <- NULL
for (level in c(0.5, 0.8, 0.95, 0.99, 0.9999)) {
  tail <- (1 - level) / 2
  clopper <- t(mapply(function(k, n) c(if (k == 0) 0 else qbeta(tail, k, n - k + 1), if (k == n) 1 else qbeta(tail, k + 1, n - k, lower.tail = FALSE)), cells$k, cells$n))
  small <- cells$n <= 1000
  checked <- t(mapply(function(k, n) binom.test(k, n, conf.level = level)$conf.int, cells$k[small], cells$n[small]))
  stopifnot(max(abs(checked - clopper[small, ])) < 1e-12)
  single <- rbind(single, data.frame(level, cells,
    jeffreys_low = ifelse(cells$k == 0, 0, qbeta(tail, cells$k + 0.5, cells$n - cells$k + 0.5)),
    jeffreys_high = ifelse(cells$k == cells$n, 1, qbeta(tail, cells$k + 0.5, cells$n - cells$k + 0.5, lower.tail = FALSE)),
    clopper_low = clopper[, 1], clopper_high = clopper[, 2]))
}
save_csv(single, "beta_limits.csv")

# pairs of shares: those of Newcombe (1998), table II, and others
pairs <- data.frame(
  k1 = c(56, 9, 6, 5, 0, 0, 10, 10, 40, 1, 0, 3, 700, 12, 1, 99), n1 = c(70, 10, 7, 56, 10, 10, 10, 10, 50, 1, 1, 12, 1000, 13, 400, 100),
  k2 = c(48, 3, 2, 0, 0, 0, 0, 0, 30, 0, 1, 11, 690, 2, 3, 95), n2 = c(80, 10, 7, 29, 20, 10, 20, 10, 50, 1, 3, 12, 1000, 2, 300, 100))
xlogy <- function(x, y) ifelse(x == 0, 0, x * log(y))
likelihood <- function(p1, p2, k1, n1, k2, n2) xlogy(k1, p1) + xlogy(n1 - k1, 1 - p1) + xlogy(k2, p2) + xlogy(n2 - k2, 1 - p2)
likeliest <- function(f, low, high) {   # optimize() to its best, then the ends
  if (high <= low) return(low)
  slope <- function(x) (f(x + 1e-7 * min(x - low, high - x)) - f(x - 1e-7 * min(x - low, high - x)))
  at <- optimize(f, c(low, high), maximum = TRUE, tol = 1e-12)$maximum
  at <- c(low, at, high)[which.max(c(f(low), f(at), f(high)))]
  at
}
exact_slope <- function(k, n, p) k / p - (n - k) / (1 - p)
refined <- function(slope, at, low, high) {   # where the slope of the likelihood is 0, near the maximum
  around <- pmin(pmax(c(at - 1e-4, at + 1e-4), low + 1e-15), high - 1e-15)
  ends <- c(slope(around[1]), slope(around[2]))
  if (any(!is.finite(ends)) || prod(sign(ends)) >= 0) return(at)
  uniroot(slope, around, tol = 1e-16, maxiter = 2000)$root
}
squared <- function(value, type, k1, n1, k2, n2, corrected) {
  N <- n1 + n2
  if (type == "difference") {
    low <- max(0, -value); high <- min(1, 1 - value)
    p2 <- likeliest(function(x) likelihood(x + value, x, k1, n1, k2, n2), low, high)
    p2 <- refined(function(x) exact_slope(k1, n1, x + value) + exact_slope(k2, n2, x), p2, low, high)
    p1 <- p2 + value; scale <- 1
  } else {
    low <- 0; high <- min(1, 1 / value)
    p2 <- likeliest(function(x) likelihood(value * x, x, k1, n1, k2, n2), low, high)
    p2 <- refined(function(x) value * exact_slope(k1, n1, value * x) + exact_slope(k2, n2, x), p2, low, high)
    p1 <- value * p2; scale <- value
  }
  variance <- p1 * (1 - p1) / n1 + scale^2 * p2 * (1 - p2) / n2
  distance <- if (type == "difference") k1 / n1 - k2 / n2 - value else k1 / n1 - value * k2 / n2
  list(distance = distance, variance = max(0, variance) * if (corrected) N / (N - 1) else 1)
}
limits <- function(type, k1, n1, k2, n2, level, corrected) {
  z2 <- qchisq(level, 1)
  over <- function(u) {
    s <- squared(if (type == "difference") u else exp(u), type, k1, n1, k2, n2, corrected)
    scale <- if (type == "difference") 1 else exp(u)
    (s$distance^2 - z2 * s$variance) / scale
  }
  root <- function(a, b) if (over(a) * over(b) >= 0) NA else uniroot(over, c(a, b), tol = 1e-14, maxiter = 5000)$root
  if (type == "difference") {
    d <- k1 / n1 - k2 / n2; e <- 1e-13
    low <- if (d - e <= -1) -1 else root(-1 + e, d - e); high <- if (d + e >= 1) 1 else root(d + e, 1 - e)
    c(low, high)
  } else {
    if (k1 == 0 && k2 == 0) return(c(0, Inf))
    middle <- log(k1 / n1) - log(k2 / n2)
    low <- if (k1 == 0) 0 else exp(root(-30, min(middle, 30) - 1e-13)); high <- if (k2 == 0) Inf else exp(root(max(middle, -30) + 1e-13, 30))
    c(low, high)
  }
}
found <- NULL
for (level in c(0.8, 0.95, 0.99)) for (i in seq_len(nrow(pairs))) {
  p <- as.list(pairs[i, ])
  one <- function(type, corrected) do.call(limits, c(list(type), p, list(level, corrected)))
  newcombe <- ci.pd(p$k1, p$k2, p$n1 - p$k1, p$n2 - p$k2, method = "Nc", conf.level = level, print = FALSE)
  found <- rbind(found, data.frame(level, p, newcombe_low = newcombe[6], newcombe_high = newcombe[7],
    mn_low = one("difference", TRUE)[1], mn_high = one("difference", TRUE)[2],
    mee_low = one("difference", FALSE)[1], mee_high = one("difference", FALSE)[2],
    mn_ratio_low = one("ratio", TRUE)[1], mn_ratio_high = one("ratio", TRUE)[2],
    koopman_low = one("ratio", FALSE)[1], koopman_high = one("ratio", FALSE)[2]))
}
save_csv(found, "two_shares.csv")
