# Values from outside for logistic models of categorical factors: R's glm, clubSandwich, and the
# definition of average marginal effects, all on single cases.
#
#   Rscript tests/reference/stats/make_logistic.R tests/reference/stats
#
# Made-up cases: three factors, 40 clusters of very unequal size with their own level of success,
# some clusters of a single case.

suppressMessages(library(clubSandwich))
folder <- commandArgs(trailingOnly = TRUE)[1]
options(digits = 17)
save <- function(table, name) {
  write.csv(format(table, digits = 17, trim = TRUE), file.path(folder, name),
            row.names = FALSE, quote = FALSE)
}

set.seed(20260311)
size <- c(rep(1, 8), rep(2, 6), round(exp(rnorm(26, 2.6, 0.9))) + 2)
cluster <- rep(seq_along(size), size)
n <- length(cluster)
lean <- rnorm(length(size), 0, 0.7)[cluster]
a <- sample(0:3, n, TRUE, c(0.45, 0.3, 0.15, 0.1))
b <- (runif(n) < 0.35 + 0.08 * a) * 1
c <- (cluster + sample(0:1, n, TRUE)) %% 3  # goes with the cluster
eta <- -0.3 + c(0, 0.5, -0.8, 1.1)[a + 1] - 0.6 * b + c(0, 0.4, -0.2)[c + 1] + lean
y <- (runif(n) < plogis(eta)) * 1
cases <- data.frame(a, b, c, cluster, y)
rows <- aggregate(cbind(k = y, n = 1 + 0 * y) ~ a + b + c + cluster, cases, sum)
save(rows, "logistic_rows.csv")

exact <- glm.control(epsilon = 1e-15, maxit = 100)
cases$fa <- factor(a); cases$fb <- factor(b); cases$fc <- factor(c)
fit <- glm(y ~ fa + fb + fc, binomial, cases, control = exact)
X <- model.matrix(fit)
p <- fitted(fit)
V <- solve(t(X) %*% (X * (p * (1 - p))))
robust <- function(contrasts) {
  found <- linear_contrast(fit, vcov = "CR2", cluster = cases$cluster, contrasts = contrasts,
                           test = "Satterthwaite")
  data.frame(by_definition(contrasts), club_se = found$SE, club_df = found$df)
}
# The same from the definition, with matrices of all cases: residuals over their standard deviation
# times (I - H_gg)^(-1/2), its symmetric root, and Satterthwaite's degrees of freedom. clubSandwich
# takes another root of the same matrix, so its errors differ a little.
by_definition <- function(contrasts) {
  deviation <- sqrt(p * (1 - p))
  Z <- X * deviation
  I_H <- diag(n) - Z %*% V %*% t(Z)
  groups <- split(seq_len(n), cases$cluster)
  root <- lapply(groups, function(g) {
    e <- eigen(I_H[g, g, drop = FALSE], symmetric = TRUE)
    e$vectors %*% (t(e$vectors) / sqrt(e$values))
  })
  each <- apply(contrasts, 1, function(contrast) {
    weight <- Map(function(g, r) r %*% Z[g, , drop = FALSE] %*% V %*% contrast, groups, root)
    variance <- sum(mapply(function(g, d) sum(d * (y - p)[g] / deviation[g])^2, groups, weight))
    forms <- mapply(function(g, d) I_H[, g, drop = FALSE] %*% d, groups, weight)
    gram <- crossprod(forms)
    c(sqrt(variance), sum(diag(gram))^2 / sum(gram^2))
  })
  data.frame(cr2_se = each[1, ], cr2_df = each[2, ])
}
each <- diag(length(coef(fit)))
save(data.frame(column = seq_along(coef(fit)) - 1, coefficient = coef(fit), se = sqrt(diag(V)),
                robust(each), deviance = fit$deviance, null_deviance = fit$null.deviance),
     "logistic_fit.csv")

# average marginal effects from the definition: all cases at a level against all at the reference
at <- function(factor, level) {
  moved <- cases
  moved[[factor]] <- base::factor(level, levels = levels(cases[[factor]]))
  model.matrix(delete.response(terms(fit)), moved)
}
effects <- do.call(rbind, lapply(c("fa", "fb", "fc"), function(factor) {
  do.call(rbind, lapply(levels(cases[[factor]])[-1], function(level) {
    one <- at(factor, level); base <- at(factor, "0")
    p1 <- plogis(one %*% coef(fit))[, 1]; p0 <- plogis(base %*% coef(fit))[, 1]
    gradient <- colMeans(one * p1 * (1 - p1)) - colMeans(base * p0 * (1 - p0))
    data.frame(factor = match(factor, c("fa", "fb", "fc")) - 1, level, effect = mean(p1 - p0),
               se = sqrt(sum(gradient * (V %*% gradient))), robust(matrix(gradient, 1)))
  }))
}))
save(effects, "logistic_effects.csv")

dropped <- stats::drop1(fit, test = "LRT")[-1, ]
exactly <- sapply(c("fa", "fb", "fc"), function(f) {
  without <- stats::update(fit, paste(". ~ . -", f), control = exact)
  c(without$deviance - fit$deviance, without$df.residual - fit$df.residual)
})
stopifnot(max(abs(exactly[1, ] - dropped$LRT)) < 1e-6)
save(data.frame(factor = 0:2, statistic = exactly[1, ], df = exactly[2, ],
                p_value = pchisq(exactly[1, ], exactly[2, ], lower.tail = FALSE)),
     "logistic_tests.csv")
