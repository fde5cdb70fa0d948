# Makes spells_compared.csv (made-up spells) and, from them, the values that R gives for tests of
# equal curves and for Cox models: tests_compared.csv, cox_compared.csv, cox_tests_compared.csv.
# Run in this folder:  Rscript make_comparisons.R
suppressPackageStartupMessages({library(survival); library(cmprsk)})
options(digits = 15, warn = 1)
set.seed(20261126)

n <- 360
spells <- data.frame(
  seller = sample(1:25, n, TRUE, prob = (1:25)^-0.8),
  method = sample(c("bank", "card", "wallet"), n, TRUE, prob = c(2, 5, 3)),
  large = rbinom(n, 1, 0.4),
  country = sample(c("BR", "DE", "US"), n, TRUE),
  weight = sample(c(0.5, 1, 2, 3), n, TRUE)
)
pace <- exp(rnorm(25, 0, 0.5))[spells$seller] * c(bank = 0.6, card = 1, wallet = 1.8)[spells$method]
spells$entry <- ifelse(runif(n) < 0.3, sample(0:4, n, TRUE), 0)
spells$time <- spells$entry + ceiling(rexp(n, pace * 0.12 * (1 + 0.4 * spells$large)))
spells$time <- pmin(spells$time, 30)
spells$cause <- ifelse(spells$time == 30, 0, sample(0:2, n, TRUE, prob = c(1, 5, 2)))
write.csv(spells, "spells_compared.csv", row.names = FALSE, quote = FALSE)
spells$event <- as.integer(spells$cause == 1)

# log-rank: plain, weighted to early times, stratified; clustered = robust score test of Breslow's
row <- function(test, stat, df) data.frame(test = test, stat = stat, df = df,
                                           p = pchisq(stat, df, lower.tail = FALSE))
lr <- function(test, f, rho) {
  s <- survdiff(f, data = spells, rho = rho)
  row(test, s$chisq, 2)
}
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 60)
rs <- function(test, f) {
  fit <- coxph(f, data = spells, ties = "breslow", control = tight)
  row(test, fit$rscore, 2)
}
gray <- function(test, ...) {
  g <- cuminc(spells$time, spells$cause, spells$method, cencode = 0, ...)$Tests
  row(paste0(test, "_", rownames(g)), g[, "stat"], g[, "df"])
}
found <- rbind(
  lr("logrank", Surv(time, event) ~ method, 0),
  lr("logrank_early", Surv(time, event) ~ method, 1),
  lr("logrank_strata", Surv(time, event) ~ method + strata(country), 0),
  lr("logrank_early_strata", Surv(time, event) ~ method + strata(country), 1),
  rs("logrank_cluster", Surv(time, event) ~ method + cluster(seller)),
  rs("logrank_cluster_strata", Surv(time, event) ~ method + strata(country) + cluster(seller)),
  gray("gray"),
  gray("gray_strata", strata = spells$country)
)
write.csv(found, "tests_compared.csv", row.names = FALSE, quote = FALSE)

# Cox models, iterated until the likelihood moves by less than 1e-13 of itself
models <- list(
  plain = Surv(time, event) ~ method + large,
  strata = Surv(time, event) ~ method + large + strata(country),
  cluster = Surv(time, event) ~ method + large + country + cluster(seller),
  late = Surv(entry, time, event) ~ method + large + cluster(seller),
  late_strata = Surv(entry, time, event) ~ method + large + strata(country) + cluster(seller)
)
co <- NULL
te <- NULL
for (name in names(models)) for (ties in c("efron", "breslow")) for (weighted in c(FALSE, TRUE)) {
  spells$w <- if (weighted) spells$weight else 1
  fit <- coxph(models[[name]], data = spells, weights = w, ties = ties, control = tight)
  s <- summary(fit)$coefficients
  robust <- if ("robust se" %in% colnames(s)) s[, "robust se"] else NA
  # with weights and no cluster, R's errors are robust ones with every spell its own cluster
  co <- rbind(co, data.frame(model = name, ties = ties, weighted = weighted, term = rownames(s),
                             coef = coef(fit), se = s[, "se(coef)"], robust_se = robust))
  te <- rbind(te, data.frame(model = name, ties = ties, weighted = weighted,
                             null = fit$loglik[1], loglik = fit$loglik[2], score = fit$score))
}
write.csv(co, "cox_compared.csv", row.names = FALSE, quote = FALSE, na = "")
write.csv(te, "cox_tests_compared.csv", row.names = FALSE, quote = FALSE)
