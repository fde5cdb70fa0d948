# Mixture cure models by direct maximisation in R: optim (BFGS) on the same likelihood, written
# anew, with the gradient by hand and standard errors from optimHess. Limits of the share for spells
# in clusters (of each group the row number, from 0, times 5, modulo 11, squared, divided by 11) by
# sums of that gradient over clusters, squares enlarged by 1 / (1 - h).
# Run in this folder: Rscript make_cure.R
set.seed(23)
made <- function(group, n, cured, law, longest) {
  t <- if (law == "weibull") rweibull(n, 1.4, 8) else rlnorm(n, 1.8, 0.7)
  t[runif(n) < cured] <- Inf
  c <- runif(n, 1, longest)
  data.frame(group = group, time = round(pmin(t, c), 2) + 0.01, event = as.integer(t <= c))
}
d <- rbind(made(0, 200, 0.3, "weibull", 80), made(1, 400, 0.1, "lognormal", 120),
           made(2, 150, 0.5, "lognormal", 60), made(3, 300, 0.05, "weibull", 100))
write.csv(d, "made_up_cures.csv", row.names = FALSE)

parts <- function(p, x, law) {
  a <- plogis(p[1]); s <- exp(p[3]); z <- (log(x$time) - p[2]) / s
  if (law == "weibull") {
    S <- exp(-exp(z)); lf <- z - exp(z); lf1 <- 1 - exp(z); f <- exp(lf)
  } else {
    S <- pnorm(z, lower.tail = FALSE); lf <- dnorm(z, log = TRUE); lf1 <- -z; f <- dnorm(z)
  }
  list(a = a, s = s, z = z, S = S, lf = lf, lf1 = lf1, f = f, Q = a + (1 - a) * S)
}
minus <- function(p, x, law) {
  k <- parts(p, x, law)
  -sum(ifelse(x$event == 1, log(1 - k$a) + k$lf - p[3] - log(x$time), log(k$Q)))
}
slope <- function(p, x, law) {
  k <- parts(p, x, law); e <- x$event == 1
  z1 <- ifelse(e, k$lf1, -(1 - k$a) * k$f / k$Q)
  -c(sum(ifelse(e, -k$a, k$a * (1 - k$a) * (1 - k$S) / k$Q)),
     sum(-z1 / k$s), sum(-z1 * k$z - e))
}
limits <- function(p, H, x, law) {
  seller <- factor((((seq_len(nrow(x)) - 1) * 5) %% 11)^2 %/% 11)
  h <- as.vector(table(seller)) / nrow(x)
  scores <- t(sapply(levels(seller), function(s) slope(p, x[seller == s, ], law)))
  moved <- scores %*% solve(H)[, 1]
  forms <- sapply(levels(seller), function(s) seller == s) - rep(h, each = nrow(x))
  gram <- crossprod(sweep(forms, 2, sqrt(1 - h), "/"))
  reach <- qt(0.975, sum(diag(gram))^2 / sum(gram^2)) * sqrt(max(sum(moved^2 / (1 - h)), solve(H)[1, 1]))
  plogis(p[1] + c(-reach, reach))
}
out <- NULL
for (g in unique(d$group)) for (law in c("weibull", "lognormal")) {
  x <- d[d$group == g, ]
  p <- c(qlogis(0.2), mean(log(x$time[x$event == 1])), 0)
  for (again in 1:5) {
    found <- optim(p, minus, slope, x = x, law = law, method = "BFGS",
                   control = list(reltol = 1e-16, maxit = 2000))
    p <- found$par
  }
  H <- optimHess(p, minus, slope, x = x, law = law, control = list(ndeps = rep(1e-5, 3)))
  se <- sqrt(diag(solve(H)))
  ends <- limits(p, H, x, law)
  out <- rbind(out, data.frame(group = g, latency = law, share = plogis(p[1]),
    location = p[2], scale = exp(p[3]), se_logit = se[1], se_location = se[2],
    se_log_scale = se[3], log_likelihood = -found$value, low = ends[1], high = ends[2]))
}
out[-(1:2)] <- lapply(out[-(1:2)], function(v) sprintf("%.15g", v))
write.csv(out, "cure.csv", row.names = FALSE, quote = FALSE)
