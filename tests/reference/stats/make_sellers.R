# Groups of counts that differ: R's own likelihood, brute-force posteriors, enumerated places.
# Run in this folder: Rscript make_sellers.R  (needs VGAM for one column). Counts are those of
# beta_posterior.csv, made by make_reference.R. Writes spread.csv, group_posteriors.csv, places.csv.
suppressPackageStartupMessages(library(VGAM))
save_csv <- function(x, file) write.csv(format(x, digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
cases <- split(read.csv("beta_posterior.csv")[, c("case", "k", "n")], read.csv("beta_posterior.csv")$case)

loglik <- function(mean, rho, k, n) {
  if (rho == 0) return(sum(dbinom(k, n, mean, log = TRUE) - lchoose(n, k)))
  m <- 1 / rho - 1
  sum(lbeta(mean * m + k, (1 - mean) * m + n - k) - lbeta(mean * m, (1 - mean) * m))
}
best_mean <- function(rho, k, n) {
  f <- function(u) loglik(plogis(u), rho, k, n)
  optimize(f, c(-12, 12), maximum = TRUE, tol = 1e-10)$objective
}

spread <- NULL
for (name in names(cases)) {
  k <- cases[[name]]$k; n <- cases[[name]]$n
  top <- optimize(function(v) best_mean(plogis(v), k, n), c(-16, 6), maximum = TRUE, tol = 1e-10)
  rho <- plogis(top$maximum); height <- top$objective
  u <- optimize(function(u) loglik(plogis(u), rho, k, n), c(-12, 12), maximum = TRUE, tol = 1e-12)$maximum
  none <- loglik(sum(k) / sum(n), 0, k, n)
  gap <- function(r) best_mean(r, k, n) - height + qchisq(0.95, 1) / 2
  low <- if (none >= height - qchisq(0.95, 1) / 2) 0 else uniroot(gap, c(1e-9, rho), tol = 1e-13)$root
  high <- uniroot(gap, c(rho, 0.99), tol = 1e-13)$root
  lr <- 2 * (height - none)
  fit <- vglm(cbind(k, n - k) ~ 1, betabinomial(irho = 0.1), epsilon = 1e-12, maxit = 200)
  spread <- rbind(spread, data.frame(case = name, mean = plogis(u), correlation = rho, low = low, high = high,
    statistic = lr, p_value = 0.5 * pchisq(lr, 1, lower.tail = FALSE), vgam_mean = Coef(fit)[[1]], vgam_correlation = Coef(fit)[[2]]))
}
save_csv(spread, "spread.csv")

# Posterior of each group over a fine grid of correlation (uniform) and arc sine of the root of the mean (uniform)
post <- NULL
for (name in c("spread", "many", "rare")) {
  k <- cases[[name]]$k; n <- cases[[name]]$n
  rhos <- (seq_len(1500) - 0.5) / 1500 / 1.1
  means <- sin((seq_len(400) - 0.5) / 400 * pi / 2)^2
  grid <- expand.grid(rho = rhos, mean = means)
  m <- 1 / grid$rho - 1; a <- grid$mean * m; b <- (1 - grid$mean) * m
  ll <- -length(k) * lbeta(a, b)
  for (i in seq_along(k)) ll <- ll + lbeta(a + k[i], b + n[i] - k[i])
  w <- exp(ll - max(ll)); w <- w / sum(w)
  keep <- w > 1e-12; w <- w[keep]; a <- a[keep]; b <- b[keep]
  some <- unique(round(seq(1, length(k), length.out = 6)))
  for (i in some) {
    x <- a + k[i]; y <- b + n[i] - k[i]; mu <- x / (x + y)
    e <- sum(w * mu); v <- sum(w * ((mu - e)^2 + mu * (1 - mu) / (x + y + 1)))
    cdf <- function(p) sum(w * pbeta(p, x, y))
    ends <- sapply(c(0.025, 0.975), function(s) uniroot(function(p) cdf(p) - s, c(0, 1), tol = 1e-10)$root)
    post <- rbind(post, data.frame(case = name, k = k[i], n = n[i], mean = e, variance = v, low = ends[1], high = ends[2], below = cdf(e * 0.9)))
  }
}
save_csv(post, "group_posteriors.csv")

# Places: for each set of others that could be above, the probability by integration over the own rate
places <- NULL
for (set in list(list(a = c(90, 20, 1), b = c(10, 80, 1)), list(a = c(3, 4, 5, 6, 40, 2), b = c(2, 5, 3, 9, 30, 0.7)),
                 list(a = c(0.6, 1.2, 8, 30, 300, 5, 5), b = c(1.4, 0.9, 6, 31, 310, 5, 5)))) {
  size <- length(set$a)
  for (i in seq_len(size)) {
    others <- setdiff(seq_len(size), i); p <- numeric(size)
    for (above in 0:(2^length(others) - 1)) {
      up <- others[bitwAnd(above, 2^(seq_along(others) - 1)) > 0]; down <- setdiff(others, up)
      f <- function(u) sapply(u, function(s) { r <- qbeta(s, set$a[i], set$b[i])
        prod(pbeta(r, set$a[up], set$b[up], lower.tail = FALSE)) * prod(pbeta(r, set$a[down], set$b[down])) })
      p[length(up) + 1] <- p[length(up) + 1] + integrate(f, 0, 1, rel.tol = 1e-9)$value
    }
    q <- cumsum(p)
    places <- rbind(places, data.frame(set = size, a = set$a[i], b = set$b[i], expected = sum(p * seq_len(size)),
      low = which(q >= 0.025)[1], high = which(q >= 0.975)[1], total = sum(p)))
  }
}
save_csv(places, "places.csv")
