# Shares of clustered units by dense matrices, adjusted p-values and limits of ratios, in R.
# Rscript make_clusters.R, in this folder. Nothing here shares code with what it checks.
# Bell and McCaffrey (2002): the regression of the units' 0 and 1 on a constant, with
# A = (I - H)^(-1/2) in each cluster and Satterthwaite's degrees of freedom, units as matrices.

set.seed(11)
half_inverse <- function(m) {
  e <- eigen(m, symmetric = TRUE)
  e$vectors %*% diag(1 / sqrt(e$values), length(e$values)) %*% t(e$vectors)
}
share_of <- function(k, n) {
  y <- unlist(mapply(function(k, n) rep(c(1, 0), c(k, n - k)), k, n, SIMPLIFY = FALSE))
  cluster <- rep(seq_along(n), n)
  size <- length(y)
  x <- matrix(1, size, 1)
  hat <- x %*% solve(t(x) %*% x) %*% t(x)
  left <- diag(size) - hat
  e <- left %*% y
  parts <- NULL
  meat <- 0
  for (one in unique(cluster)) {
    rows <- which(cluster == one)
    a <- half_inverse(diag(length(rows)) - hat[rows, rows, drop = FALSE])
    weight <- t(x[rows, , drop = FALSE]) %*% a / size
    meat <- meat + (weight %*% e[rows])^2
    parts <- cbind(parts, left[, rows, drop = FALSE] %*% t(weight))
  }
  b <- t(parts) %*% parts
  c(variance = as.numeric(meat), df = sum(diag(b))^2 / sum(b^2))
}
wilson_at <- function(p, worth, t) {
  away <- function(x) (p - x)^2 - t^2 * x * (1 - x) / worth
  c(uniroot(away, c(0, p), tol = 1e-15)$root, uniroot(away, c(p, 1), tol = 1e-15)$root)
}

cases <- list(
  even = list(k = c(8, 5, 2, 6), n = rep(10, 4)),
  few = list(k = c(3, 9), n = c(4, 20)),
  tailed = { n <- 1 + rgeom(25, 0.1); list(k = rbinom(25, n, rbeta(25, 4, 2)), n = n) },
  large = { n <- c(180, 90, 60, rep(5, 12)); list(k = rbinom(15, n, rbeta(15, 2, 3)), n = n) },
  alike = { n <- 1 + rgeom(30, 0.15); list(k = rbinom(30, n, 0.3), n = n) }
)
counts <- NULL
shares <- NULL
for (name in names(cases)) {
  x <- cases[[name]]
  found <- share_of(x$k, x$n)
  p <- sum(x$k) / sum(x$n)
  worth <- min(p * (1 - p) / found[["variance"]], sum(x$n))
  df <- max(found[["df"]], 1)
  for (level in c(0.8, 0.95)) {
    limits <- wilson_at(p, worth, qt((1 + level) / 2, df))
    shares <- rbind(shares, data.frame(case = name, level = level, estimate = p,
      variance = found[["variance"]], df = df, low = limits[1], high = limits[2]))
  }
  counts <- rbind(counts, data.frame(case = name, k = x$k, n = x$n))
}
save_csv <- function(frame, name) {
  numbers <- sapply(frame, is.double)
  frame[numbers] <- lapply(frame[numbers], function(x) sprintf("%.17g", x))
  write.csv(frame, name, row.names = FALSE, quote = FALSE)
}
save_csv(counts, "clustered_counts.csv")
save_csv(shares, "clustered_shares.csv")

# Benjamini and Hochberg
p <- c(runif(20)^2, 0, 1, 0.04, 0.04)
save_csv(data.frame(p = p, q = p.adjust(p, "BH")), "q_values.csv")

# Limits of a ratio: where the difference p1 - r p2, squared and added, just reaches 0
# (Donner and Zou 2012), by finding that root instead of solving the quadratic.
wilson <- function(k, n) suppressWarnings(prop.test(k, n, correct = FALSE)$conf.int)
ratios <- data.frame(k1 = c(56, 5, 12, 30), n1 = c(70, 80, 40, 31), k2 = c(48, 9, 20, 15), n2 = c(80, 60, 45, 40))
ends <- t(mapply(function(k1, n1, k2, n2) {
  p1 <- k1 / n1; p2 <- k2 / n2; a <- wilson(k1, n1); b <- wilson(k2, n2)
  lower <- function(r) p1 - r * p2 - sqrt((p1 - a[1])^2 + (r * (b[2] - p2))^2)
  upper <- function(r) p1 - r * p2 + sqrt((a[2] - p1)^2 + (r * (p2 - b[1]))^2)
  c(uniroot(lower, c(0, p1 / p2), tol = 1e-15)$root,
    uniroot(upper, c(p1 / p2, 1000), tol = 1e-15)$root)
}, ratios$k1, ratios$n1, ratios$k2, ratios$n2))
save_csv(data.frame(ratios, estimate = with(ratios, (k1 / n1) / (k2 / n2)), low = ends[, 1], high = ends[, 2]), "mover_ratios.csv")
