# Reference values for overlapping rules and for rates of closing, from R.
# Run in this folder:  Rscript make_why.R     (packages survival, sandwich)
# Numbers carry 15 significant digits; empty = NA.
suppressPackageStartupMessages({library(survival); library(sandwich)})
options(digits = 15, warn = 1)
format_numbers <- function(x) { x[] <- lapply(x, function(v) if (is.numeric(v)) ifelse(is.na(v), NA, sprintf("%.15g", v)) else v); x }
save_csv <- function(x, file) write.csv(format_numbers(x), file, row.names = FALSE, na = "", quote = FALSE)
set.seed(20261126)

# 1. Shapley shares by their definition: over all subsets S without rule i, the weight
#    |S|! (m - |S| - 1)! / m! times what i adds, in the game "stopped by at least one rule of S".
m <- 8
pattern <- sample(0:(2^m - 1), 60)
count <- rpois(60, 6)
save_csv(data.frame(pattern, count), "shapley_patterns.csv")
worth <- function(set) sum(count[bitwAnd(pattern, set) > 0])
v <- sapply(0:(2^m - 1), worth)
size <- sapply(0:(2^m - 1), function(s) sum(bitwAnd(s, 2^(0:(m - 1))) > 0))
freed <- v[2^m] - v[2^m - (0:(2^m - 1))]                       # the dual game
value <- function(game, i) {
  without <- which(bitwAnd(0:(2^m - 1), 2^i) == 0)
  w <- factorial(size[without]) * factorial(m - size[without] - 1) / factorial(m)
  sum(w * (game[without + 2^i] - game[without]))
}
save_csv(data.frame(rule = 0:(m - 1), stopped = sapply(0:(m - 1), function(i) value(v, i)),
  freed = sapply(0:(m - 1), function(i) value(freed, i)),
  only = sapply(0:(m - 1), function(i) freed[2^i + 1]), any = sapply(0:(m - 1), function(i) v[2^i + 1])), "shapley.csv")

# 2. Rates constant in pieces: survSplit and a Poisson model with the log of the time as offset.
n <- 400
seller <- sample(1:25, n, replace = TRUE, prob = (1:25)^-0.8)
speed <- exp(rnorm(25, 0, 0.6))[seller]
time <- ceiling(rexp(n, 0.03 * speed))                          # whole hours: many on a boundary
seen <- ceiling(runif(n, 1, 90))
cause <- ifelse(time <= seen, sample(1:2, n, replace = TRUE, prob = c(0.75, 0.25)), 0)
spells <- data.frame(seller, time = pmin(time, seen), cause)
save_csv(spells, "rate_spells.csv")
edges <- c(6, 12, 24, 48)
spells$any <- as.integer(spells$cause > 0)
split <- survSplit(Surv(time, any) ~ seller + cause, data = spells, cut = edges, episode = "piece", start = "start", end = "stop", event = "ended")
split <- split[split$piece <= 4, ]
split$hours <- split$stop - split$start
rows <- NULL
for (end in 0:2) for (piece in 1:4) {
  one <- split[split$piece == piece, ]
  one$y <- if (end == 0) one$ended else one$ended * (one$cause == end)
  own <- aggregate(cbind(y, hours) ~ seller, data = one, FUN = sum)
  fit <- glm(y ~ 1 + offset(log(hours)), family = poisson, data = own, control = glm.control(epsilon = 1e-14, maxit = 100))
  rate <- unname(exp(coef(fit)))
  k <- sum(own$y); whole <- sum(own$hours)
  # HC2 of the model by seller: squared residuals over one minus leverage
  clustered <- unname(vcovHC(fit, type = "HC2")[1, 1])
  score <- function(m, k) (k - m)^2 - qnorm(0.975)^2 * m
  low <- if (k > 0) uniroot(score, c(1e-9, k), k = k, tol = 1e-13)$root else 0
  high <- uniroot(score, c(max(k, 1e-9), k + 100), k = k, tol = 1e-13)$root
  rows <- rbind(rows, data.frame(end, piece, at_risk = nrow(one), events = k, hours = whole, rate,
    variance = unname(vcov(fit)[1, 1]), clustered, low = low / whole, high = high / whole, n_sellers = nrow(own)))
}
save_csv(rows, "rates.csv")
