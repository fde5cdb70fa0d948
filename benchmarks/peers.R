# What R does on the same rows: Rscript peers.R FOLDER WORK PEER. Prints one line: the seconds
# (median of three runs, or of one slow run), then the values that are compared.
suppressMessages(library(survival))

arguments <- commandArgs(TRUE)
folder <- arguments[1]
column <- function(name) {
  path <- file.path(folder, name)
  readBin(path, "double", file.info(path)$size / 8, size = 8, endian = "little")
}
at_hours <- c(72, 168, 336)
causes <- function() factor(column("cause"), 0:3)

incidences <- function(time, cause, at) {
  found <- survfit(Surv(time, cause) ~ 1)
  as.vector(summary(found, times = at)$pstate[, -1])
}
design <- function() {
  codes <- matrix(column("codes"), ncol = 10)
  data.frame(success = column("success"), lapply(as.data.frame(codes), factor))
}

works <- list(
  aalen_johansen_hours__survival = function() {
    time <- column("hours"); cause <- causes()
    function() incidences(time, cause, at_hours)
  },
  aalen_johansen_hours__cmprsk = function() {
    time <- column("hours"); cause <- column("cause")
    function() {
      found <- cmprsk::cuminc(time, cause)
      as.vector(t(cmprsk::timepoints(found, at_hours)$est))
    }
  },
  kaplan_meier_sellers__survival = function() {
    time <- column("hours"); end <- column("cause") > 0; seller <- column("seller")
    function() {
      found <- survfit(Surv(time, end) ~ seller)
      summary(found, times = 168, extend = TRUE)$surv
    }
  },
  log_rank__survival = function() {
    time <- column("hours"); end <- column("cause") > 0; arm <- column("arm")
    function() survdiff(Surv(time, end) ~ arm)$chisq
  },
  gray_test__cmprsk = function() {
    time <- column("hours"); cause <- column("cause"); arm <- column("arm")
    function() as.vector(cmprsk::cuminc(time, cause, arm)$Tests[, "stat"])
  },
  cox__survival = function() {
    time <- column("hours"); end <- column("cause") > 0
    x <- matrix(column("covariates"), ncol = 6)
    function() as.vector(coef(coxph(Surv(time, end) ~ x)))
  },
  logistic__glm = function() {
    rows <- design()
    function() as.vector(coef(glm(success ~ ., binomial, rows)))
  },
  logistic__glm.fit = function() {
    rows <- design()
    x <- model.matrix(success ~ ., rows)
    function() as.vector(coef(glm.fit(x, rows$success, family = binomial())))
  }
)

job <- works[[paste(arguments[2], arguments[3], sep = "__")]]()
timed <- function() system.time(values <<- job())[["elapsed"]]
times <- c()
while (length(times) < 3 && sum(times) < 10) times <- c(times, timed())
cat(format(median(times), digits = 15), sprintf("%.17g", values), "\n")
