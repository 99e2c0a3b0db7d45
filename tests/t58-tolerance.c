/* A tolerance of the hypergradient's error: met where the solve says so, by the bound always and by the
   estimate within a factor 2; at little more work than the best fixed t and k (-verbose prints the cases). */
#include "dense.h"

typedef struct {
  BLPType type;
  BLP blp;
  PetscBool map;
  Vec lambda, g, exact;
  PetscReal f, norm; /* f(lambda), ||exact|| */
} Case;

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, PetscReal shift, Case *k)
{
  HGConvergedReason reason;
  HG hg;

  PetscFunctionBegin;
  k->type = type;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(BLPHasMap(k->blp, &k->map));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->exact));
  PetscCall(SyntheticLambda(k->blp, s, 7 + s->seed, 0.5, shift, k->lambda));
  PetscCall(HGMake(k->blp, NULL, "-hg_type exact", &hg));
  PetscCall(HGSolve(hg, k->lambda, &k->f, k->exact));
  PetscCall(HGGetConvergedReason(hg, &reason));
  CHECK(reason > 0, "the reference ended by %s", HGConvergedReasons[reason]);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecNorm(k->exact, NORM_2, &k->norm));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->exact));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* One hypergradient by these options to k->g; its error relative to the exact one's norm. */
static PetscErrorCode Solve(Case *k, const char text[], HGReport *report, PetscReal *error)
{
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, report));
  PetscCall(RelativeDifference(k->g, k->exact, error));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscInt Work(const HGReport *r)
{
  return r->lower_its + r->lower_products + r->adjoint_products + r->certificate_products;
}

/* ------------------------------------------------------------------ the tolerance is met */

typedef struct {
  const char *name, *loss, *map; /* options for either kind of lower level; NULL: not for it */
} Method;

static const Method methods[] = {
    {"gd, cg", "-lls_fpm_step optimal", ""},
    {"gd, richardson", "-lls_fpm_step optimal -hg_fpm_step optimal -hg_ksp_type richardson",
     "-hg_ksp_type richardson"},
    {"heavy ball, cg", "-lls_fpm_type heavyball -lls_fpm_step optimal", NULL},
    {"newton, cg", "-lls_type newton", "-lls_type newton"},
    {"anderson, cg", "-lls_type anderson -lls_fpm_step optimal", "-lls_type anderson"},
    {"nesterov, gmres on heavy ball",
     "-lls_fpm_type nesterov -lls_fpm_step optimal -hg_fpm_type heavyball -hg_fpm_step optimal "
     "-hg_ksp_type gmres",
     NULL},
};
enum { nmethods = sizeof(methods) / sizeof(methods[0]) };

typedef struct {
  PetscBool verbose;
  int cases, met; /* by the estimate; met: error <= 2 tolerances */
} Statistics;

/* Reports whether there is a bound at all: not every problem has its constants. */
static PetscErrorCode HasBound(Case *k, const char method[], PetscBool *has)
{
  char text[512];
  HGReport report;
  PetscReal error;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -lls_max_it 5 -hg_certificate bound", method));
  PetscCall(Solve(k, text, &report, &error));
  *has = (PetscBool)(report.bound.standing != TWOFOLD_UNKNOWN);
  PetscFunctionReturn(0);
}

static PetscErrorCode Meet(Case *k, const char method[], PetscReal tol, PetscBool bound, HGReport *report,
                           PetscReal *error)
{
  const HGConvergedReason expected = bound ? HG_CONVERGED_BOUND : HG_CONVERGED_ESTIMATE;
  char text[512];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "%s -lls_max_it 100000 -hg_ksp_max_it 10000 -hg_tol %g -hg_certificate %s", method,
                          (double)tol, bound ? "bound" : "estimate"));
  PetscCall(Solve(k, text, report, error));
  const TwofoldConstant *told = bound ? &report->bound : &report->estimate;
  CHECK(report->reason == expected && told->value <= tol * report->norm, "%s, %s: %s with an error of %g",
        k->type, text, HGConvergedReasons[report->reason], told->value);
  CHECK(report->lower_reason == LLS_CONVERGED_ATOL && report->adjoint_reason == KSP_CONVERGED_ATOL,
        "%s, %s: %s, %s", k->type, text, LLSConvergedReasons[report->lower_reason],
        KSPConvergedReasons[report->adjoint_reason]);
  CHECK(report->adjoint_products > report->adjoint_its / 2 && report->certificate_products > 0,
        "%d products for %d steps of the adjoint, %d for the certificate", (int)report->adjoint_products,
        (int)report->adjoint_its, (int)report->certificate_products);
  PetscFunctionReturn(0);
}

static PetscErrorCode Tolerances(Case *k, Statistics *stats)
{
  PetscReal error;
  PetscBool has = PETSC_FALSE;
  HGReport report;

  PetscFunctionBegin;
  for (int m = 0; m < nmethods; m++) {
    const char *const method = k->map ? methods[m].map : methods[m].loss;
    if (!method) continue;
    PetscCall(HasBound(k, method, &has));
    for (PetscReal tol = 1e-1; tol > 1e-8; tol /= 100) {
      PetscCall(Meet(k, method, tol, PETSC_FALSE, &report, &error));
      stats->cases++;
      stats->met += error * k->norm <= 2 * tol * report.norm;
      if (stats->verbose)
        PetscCall(PetscPrintf(TEST_COMM, "%-10s %-30s %5.0e error %8.2e t %4d k %3d certificate %3d\n",
                              k->type, methods[m].name, (double)tol, (double)error, (int)report.lower_its,
                              (int)report.adjoint_its, (int)report.certificate_products));
      if (!has) continue;
      PetscCall(Meet(k, method, tol, PETSC_TRUE, &report, &error));
      CHECK(error * k->norm <= tol * report.norm, "%s, %s: error %g by the bound, tolerance %g", k->type,
            method, error, tol);
    }
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ against the best t and k */

/* Whether t and k suffice: the bound, or the error itself, against the tolerance. */
static PetscErrorCode Suffice(Case *k, const char method[], PetscInt t, PetscInt steps, PetscReal tol,
                              PetscBool bound, PetscBool *suffice)
{
  char text[512];
  HGReport report;
  PetscReal error;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -lls_max_it %d -hg_ksp_rtol 0 -hg_ksp_max_it %d%s", method,
                          (int)t, (int)steps, bound ? " -hg_certificate bound" : ""));
  PetscCall(Solve(k, text, &report, &error));
  *suffice = (PetscBool)((bound ? report.bound.value : error * k->norm) <= tol * report.norm);
  PetscFunctionReturn(0);
}

/* The least t + k that suffice, of all t and k: for each t the least k by bisection. */
static PetscErrorCode Best(Case *k, const char method[], PetscReal tol, PetscBool bound, PetscInt *best)
{
  PetscBool suffice = PETSC_FALSE;

  PetscFunctionBegin;
  *best = 400;
  for (PetscInt t = 1; t < *best; t++) {
    PetscInt low = 0, high = *best - t; /* high suffices, or does not serve */
    PetscCall(Suffice(k, method, t, high, tol, bound, &suffice));
    if (!suffice) continue;
    while (low < high) {
      const PetscInt middle = (low + high) / 2;
      PetscCall(Suffice(k, method, t, middle, tol, bound, &suffice));
      if (suffice)
        high = middle;
      else
        low = middle + 1;
    }
    *best = PetscMin(*best, t + high);
  }
  CHECK(*best < 400, "no t + k < 400 of %s reaches %g", method, tol);
  PetscFunctionReturn(0);
}

/* All work, with what it costs to know the error, is at most 1.5 times the best of 24 steps or more. Of fewer
   it is so many above at most: an estimate alone is three products and two linear solves. */
static PetscErrorCode AgainstBest(Case *k, const Method *method, PetscReal tol, PetscBool bound,
                                  PetscBool verbose)
{
  PetscReal error;
  PetscInt best;
  HGReport report;

  PetscFunctionBegin;
  PetscCall(Best(k, method->loss, tol, bound, &best));
  PetscCall(Meet(k, method->loss, tol, bound, &report, &error));
  const PetscInt steps = report.lower_its + report.adjoint_its, work = Work(&report);
  if (verbose)
    PetscCall(PetscPrintf(
        TEST_COMM,
        "%-10s %-15s %5.0e by the %-8s best t + k %3d, t %3d + k %3d (%4.2f), all work %3d (%4.2f)\n",
        k->type, method->name, (double)tol, bound ? "bound" : "estimate", (int)best, (int)report.lower_its,
        (int)report.adjoint_its, (double)steps / (double)best, (int)work, (double)work / (double)best));
  CHECK(steps <= PetscMax(1.5 * best, best + 5), "%s, %g: %d steps, %d are the best", method->name, tol,
        (int)steps, (int)best);
  CHECK(work <= (best < 24 ? best + (bound ? 9 : 14) : 1.5 * best),
        "%s, %g: %d steps and products, %d are the best", method->name, tol, (int)work, (int)best);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings */

/* Where the steps allowed do not suffice there is a hypergradient all the same, and a reason. */
static PetscErrorCode NotEnough(Case *k)
{
  const char *const text[] = {
      "-lls_fpm_step optimal -lls_max_it 3 -hg_tol 1e-6",
      "-lls_fpm_step optimal -lls_max_it 100000 -hg_ksp_max_it 1 -hg_tol 1e-8",
      "-lls_fpm_step optimal -lls_max_it 3 -hg_ksp_max_it 0 -hg_tol_absolute 1e-6 -hg_certificate bound",
      "-lls_fpm_step optimal -lls_max_it 0 -hg_tol 1e-6",
  };
  const LLSConvergedReason lower[] = {LLS_DIVERGED_ITS, LLS_CONVERGED_ATOL, LLS_DIVERGED_ITS,
                                      LLS_DIVERGED_ITS};
  HGReport report;
  PetscReal error;

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) {
    PetscCall(Solve(k, text[i], &report, &error));
    CHECK(report.reason == HG_DIVERGED_ITS && report.lower_reason == lower[i] && error > 0 && error < 10,
          "%s: %s, %s, error %g", text[i], HGConvergedReasons[report.reason],
          LLSConvergedReasons[report.lower_reason], error);
    CHECK(report.lower_its <= (i == 1 ? 100000 : 3) && report.adjoint_its <= (i == 1   ? 1
                                                                              : i == 2 ? 0
                                                                                       : 1000),
          "%s: %d and %d steps", text[i], (int)report.lower_its, (int)report.adjoint_its);
  }
  PetscCall(Solve(k, "-lls_fpm_step 50 -lls_max_it 1000 -hg_tol 1e-3", &report, &error));
  CHECK(report.reason == HG_DIVERGED_LOWER, "a step too long: %s", HGConvergedReasons[report.reason]);
  PetscCall(Solve(k, "-lls_fpm_step 50 -lls_max_it 1000 -hg_certificate bound", &report, &error));
  const TwofoldConstant *const bound = &report.bound;
  CHECK(!bound->standing && !strcmp(bound->origin, "there is no hypergradient") &&
            !strncmp(report.estimate.origin, "not asked for", 13),
        "a step too long: %s, %s", bound->origin, report.estimate.origin);
  PetscFunctionReturn(0);
}

/* The absolute tolerance, f alone, warm starts. */
static PetscErrorCode Uses(Case *k)
{
  HGReport first, report;
  PetscReal f, value, error;
  Vec other;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, "-lls_fpm_step optimal -lls_max_it 100000 -hg_tol 1e-5", &hg));
  PetscCall(HGEvaluate(hg, k->lambda, &value)); /* before any hypergradient */
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  CHECK(value == f, "f %.17g, alone %.17g", f, value);
  PetscCall(HGEvaluate(hg, k->lambda, &value));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL && report.lower_reason == LLS_CONVERGED_ATOL, "f alone: %s, %s",
        HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason]);
  CHECK(PetscAbsReal(value - k->f) <= 2 * PetscAbsReal(f - k->f), "f alone is off by %g, with g by %g",
        PetscAbsReal(value - k->f), PetscAbsReal(f - k->f));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(k->blp, NULL, "-lls_fpm_step optimal -lls_max_it 100000 -hg_tol_absolute 1e-5", &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  PetscCall(RelativeDifference(k->g, k->exact, &error));
  CHECK(report.reason == HG_CONVERGED_ESTIMATE && error * k->norm <= 2e-5, "%s, error %g",
        HGConvergedReasons[report.reason], error * k->norm);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDuplicate(k->lambda, &other));
  PetscCall(VecCopy(k->lambda, other));
  PetscCall(VecScale(other, 1.001));
  PetscCall(HGMake(k->blp, NULL,
                   "-lls_fpm_step optimal -lls_max_it 100000 -lls_warm_start -hg_warm_start -hg_tol 1e-4",
                   &hg));
  PetscCall(HGSolve(hg, other, &f, k->g));
  PetscCall(HGGetReport(hg, &first));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  PetscCall(RelativeDifference(k->g, k->exact, &error));
  CHECK(report.reason == HG_CONVERGED_ESTIMATE && error <= 2e-4 && report.lower_its < 0.7 * first.lower_its,
        "warm: %s, error %g, %d steps after %d", HGConvergedReasons[report.reason], error,
        (int)report.lower_its, (int)first.lower_its);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&other));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refused(Case *k)
{
  PetscReal f, rtol, atol;
  BLP biased;
  HG hg;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(HGMake(k->blp, NULL, i ? "-hg_type exact" : "-hg_type itd", &hg));
    PetscCall(HGSetTolerance(hg, 1e-3, 0));
    CHECK_RAISES(PETSC_ERR_SUP, HGSetUp(hg));
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(HGMake(k->blp, NULL, "-hg_tol 0.25 -hg_tol_absolute 3", &hg));
  PetscCall(HGGetTolerance(hg, &rtol, &atol));
  CHECK(rtol == 0.25 && atol == 3, "tolerances %g, %g", rtol, atol);
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetTolerance(hg, 1, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetTolerance(hg, -1e-3, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetTolerance(hg, 0, -1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetTolerance(hg, 0, (PetscReal)INFINITY));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetTolerance(hg, (PetscReal)NAN, 0));
  PetscCall(HGDestroy(&hg));
  const Synthetic s = {
      .n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 1}; /* mu is 0 */
  Vec lambda, g;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &s, &biased));
  PetscCall(BLPCreateVecs(biased, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGMake(biased, NULL, "-hg_tol 1e-3 -hg_certificate bound -lls_fpm_step 0.4", &hg));
  CHECK_RAISES(PETSC_ERR_SUP, HGSolve(hg, lambda, &f, g));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&biased));
  PetscFunctionReturn(0);
}

/* Each fold is held to it, and so is the mean. */
static PetscErrorCode Folds(void)
{
  enum { F = 3 };
  const Synthetic s = {.n = {24, 0, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 1};
  const char *const text = "-lls_fpm_step optimal -lls_max_it 10000 -hg_tol_absolute 1e-4";
  PetscReal f;
  PetscInt work = 0;
  HGReport report;
  DataSet all;
  Vec lambda, g;
  BLP blp;
  HG hg, child;

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(TEST_COMM, &s, 0, &all));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetType(blp, BLPSOFTMAX));
  PetscCall(BLPSetData(blp, all, NULL, NULL));
  PetscCall(BLPSetFolds(blp, F, 1));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecSet(lambda, 2));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGSolve(hg, lambda, &f, g));
  for (PetscInt k = 0; k < F; k++) {
    PetscCall(HGFoldsGetHG(hg, k, &child));
    PetscCall(HGGetReport(child, &report));
    CHECK(report.reason == HG_CONVERGED_ESTIMATE && report.estimate.value <= 1e-4, "fold %d: %s, %g", (int)k,
          HGConvergedReasons[report.reason], report.estimate.value);
    work += Work(&report);
  }
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_ESTIMATE && report.estimate.value <= 1e-4 && Work(&report) == work,
        "folds: %s, %g, work %d", HGConvergedReasons[report.reason], report.estimate.value,
        (int)Work(&report));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DataSetDestroy(&all));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllTypes(PetscMPIInt size, Statistics *stats)
{
  const Synthetic cases[] = {
      {.n = {40, 20, 0}, .p = 12, .c = 3, .density = 0.7, .seed = 1},
      {.n = {40, 20, 0}, .p = 12, .c = 8, .density = 0.7, .map = PETSC_TRUE, .seed = 2},
  };
  const PetscReal shift[] = {2, 0};
  const char **problems;
  PetscInt nproblems;
  Case k;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&nproblems, &problems));
  for (PetscInt b = 0; b < nproblems; b++) {
    for (int i = 0; i < 2; i++) {
      if (!SyntheticHasKind(problems[b], cases[i].map)) continue;
      for (int j = 0; j < (size == 1 ? 2 : 1); j++) {
        PetscCall(CaseCreate(problems[b], &cases[i], shift[j], &k));
        PetscCall(Tolerances(&k, stats));
        PetscCall(CaseDestroy(&k));
      }
    }
  }
  PetscCall(PetscFree(problems));
  PetscFunctionReturn(0);
}

static PetscErrorCode Exhaustive(PetscBool verbose)
{
  const Synthetic s = {.n = {30, 15, 0}, .p = 8, .c = 3, .density = 0.7, .seed = 1};
  const char **types;
  PetscInt n;
  Case k;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&n, &types));
  for (PetscInt b = 0; b < n; b++) {
    const PetscBool positive = (PetscBool)!strcmp(types[b], BLPLOGISTIC);
    PetscBool has = PETSC_FALSE;
    if (!SyntheticHasKind(types[b], PETSC_FALSE)) continue;
    PetscCall(CaseCreate(types[b], &s, positive ? -2 : 1, &k));
    for (int m = 0; m < 3; m++) {
      PetscCall(HasBound(&k, methods[m].loss, &has));
      for (PetscReal tol = 1e-2; tol > 1e-6; tol /= 100)
        for (int bound = 0; bound < (has ? 2 : 1); bound++)
          PetscCall(AgainstBest(&k, &methods[m], tol, (PetscBool)bound, verbose));
    }
    PetscCall(CaseDestroy(&k));
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic s = {.n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  Statistics stats = {.verbose = PETSC_FALSE};
  PetscMPIInt size;
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-verbose", &stats.verbose));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(CaseCreate(BLPSOFTMAX, &s, 2, &k));
  PetscCall(NotEnough(&k));
  PetscCall(Uses(&k));
  PetscCall(Refused(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(Folds());
  if (size <= 2) PetscCall(AllTypes(size, &stats));
  if (size == 1) PetscCall(Exhaustive(stats.verbose));
  CHECK(stats.met >= 0.95 * stats.cases, "%d of %d met within a factor 2", stats.met, stats.cases);
  if (stats.verbose) PetscCall(PetscPrintf(TEST_COMM, "%d of %d met\n", stats.met, stats.cases));
  PetscCall(TestFinalize());
  return 0;
}
