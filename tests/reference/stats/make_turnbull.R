# Interval-censored curves by R survival: survfit of interval2 data is Turnbull's self-consistency.
# R stops when the curve moves by less than 5e-5; here the same function runs until 1e-9.
# Group 3 has no interval, only exact and right-censored times: there R (3.5-3) adds one phantom
# spell to the others, so that group is for the comparison with Kaplan-Meier only.
# Run in this folder: Rscript make_turnbull.R
suppressMessages(library(survival))
text <- deparse(survival:::survfitTurnbull)
stopifnot(any(grepl("5e-05", text)))
patched <- eval(parse(text = gsub("5e-05", "1e-9", text)), envir = asNamespace("survival"))
environment(patched) <- asNamespace("survival")
assignInNamespace("survfitTurnbull", patched, "survival")

set.seed(17)
made <- function(group, n, look, exact, longest) {
  t <- rlnorm(n, 1.6, 0.7); phase <- runif(n, 0, look); seen <- runif(n, 1, longest)
  left <- pmax(0, floor((t + phase) / look) * look - phase); right <- left + look
  last <- pmax(0, floor((seen + phase) / look) * look - phase)
  open <- right > last
  left <- ifelse(open, last, left); right <- ifelse(open, NA, right)
  is_exact <- runif(n) < exact & !open
  left <- round(ifelse(is_exact, t, left), 1); right <- round(ifelse(is_exact, t, right), 1)
  data.frame(group = group, left = left, right = right)
}
d <- rbind(made(0, 20, 1, 0, 20), made(1, 30, 3, 0.3, 15), made(2, 25, 2, 0, 8),
           made(3, 25, 1, 1, 12), made(4, 20, 4, 0.1, 40))
d <- d[is.na(d$right) | d$right >= d$left, ]
d$right[!is.na(d$right) & d$right == d$left] <- d$left[!is.na(d$right) & d$right == d$left]
write.csv(d, "made_up_looks.csv", row.names = FALSE)

out <- do.call(rbind, lapply(split(d, d$group)[c("0", "1", "2", "4")], function(one) {
  fit <- survfit(Surv(left, right, type = "interval2") ~ group, data = one)
  ends <- sort(unique(c(one$left, one$right[!is.na(one$right)])))
  at <- summary(fit, times = ends, extend = TRUE)
  data.frame(group = one$group[1], time = ends, survival = at$surv)
}))
out$survival <- sprintf("%.15g", out$survival)
write.csv(out, "turnbull.csv", row.names = FALSE, quote = FALSE)
