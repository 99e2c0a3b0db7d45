/* The lower-level solver: iterates, reasons, hooks and their order. */
#include "dense.h"
#include <twofold/impl/llsimpl.h>

static const Synthetic spec = {.n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda;
  PetscReal *l;
  LLS lls;
  State x;
} Case;

static PetscErrorCode CaseCreate(const char prefix[], const char text[], PetscReal lambda_shift, Case *k)
{
  PetscOptions options;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &k->blp));
  PetscCall(DenseCreate(BLPSOFTMAX, &spec, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(SyntheticLambda(k->blp, &spec, 1, 1, lambda_shift, k->lambda));
  PetscCall(PetscMalloc1(spec.p, &k->l));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(OptionsUse(text, &options));
  PetscCall(LLSCreate(TEST_COMM, &k->lls));
  PetscCall(LLSSetOptionsPrefix(k->lls, prefix));
  PetscCall(LLSSetBLP(k->lls, k->blp));
  PetscCall(LLSSetFromOptions(k->lls));
  PetscCall(LLSSetUp(k->lls));
  PetscCall(OptionsDrop(&options));
  PetscCall(LLSGetFPM(k->lls, &fpm));
  PetscCall(FPMCreateState(fpm, &k->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(StateDestroy(&k->x));
  PetscCall(LLSDestroy(&k->lls));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(PetscFree(k->l));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* Solves from 0; the solve must end by this reason, after this many steps where its >= 0. */
static PetscErrorCode Solve(Case *k, LLSConvergedReason expected, PetscInt its)
{
  LLSConvergedReason reason;
  PetscInt made;

  PetscFunctionBegin;
  PetscCall(StateZero(k->x));
  PetscCall(LLSSolve(k->lls, k->lambda, k->x));
  PetscCall(LLSGetConvergedReason(k->lls, &reason));
  PetscCall(LLSGetIterationNumber(k->lls, &made));
  CHECK(reason == expected, "ended by %s after %d steps instead of %s", LLSConvergedReasons[reason],
        (int)made, LLSConvergedReasons[expected]);
  CHECK(its < 0 || its == made, "%d steps instead of %d", (int)made, (int)its);
  PetscFunctionReturn(0);
}

/* x_t from 0 by the dense map, n numbers. */
static PetscErrorCode DenseIterate(Case *k, const DenseMap *map, PetscInt t, PetscReal x[])
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(k->dense, map, &n));
  PetscCall(PetscArrayzero(x, n));
  for (PetscInt i = 0; i < t; i++) PetscCall(DenseMapStep(k->dense, map, k->l, x));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a fixed number of steps */

static PetscErrorCode FixedSteps(const char prefix[], const char text[], DenseMap map)
{
  const PetscInt steps[] = {0, 1, 12};
  PetscReal *x, *expected, change;
  PetscInt n;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(prefix, text, 0, &k));
  PetscCall(DenseMapGetSize(k.dense, &map, &n));
  PetscCall(PetscMalloc2(n, &x, n, &expected));
  for (int i = 0; i < 3; i++) {
    PetscCall(LLSSetTolerances(k.lls, 0, 0, steps[i]));
    PetscCall(Solve(&k, LLS_CONVERGED_ITS, steps[i]));
    PetscCall(LLSGetChange(k.lls, &change));
    CHECK(change == -1, "change %g, which nobody asked for", change);
    PetscCall(DenseIterate(&k, &map, steps[i], expected));
    PetscCall(StateGather(k.x, x));
    const PetscReal difference = ArrayDifference(n, x, expected);
    CHECK(difference <= 1e-13, "%s: x_%d differs by %g", map.type, (int)steps[i], difference);
  }
  PetscCall(PetscFree2(x, expected));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hooks */

typedef struct {
  int events[64]; /* 100 + i: record before step i; 200 + i: monitor after step i; 300 + i: stop hook */
  int n;
  PetscInt stop_at;
  PetscReal change[64];
  PetscScalar *x; /* states recorded, one after the other */
  PetscInt nx;
} Log;

/* Later calls than the first 64 are counted, not kept. */
static void Event(Log *log, PetscInt event)
{
  if (log->n < 64) log->events[log->n] = (int)event;
  log->n++;
}

static PetscErrorCode Record(void *ctx, PetscInt i, State x)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  Event(log, 100 + i);
  PetscCall(StateGather(x, log->x + i * log->nx));
  PetscFunctionReturn(0);
}

static PetscErrorCode Monitor(LLS lls, PetscInt i, PetscReal change, void *ctx)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  (void)lls;
  Event(log, 200 + i);
  log->change[i] = change;
  PetscFunctionReturn(0);
}

static PetscErrorCode Stop(void *ctx, PetscInt i, PetscBool *stop)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  Event(log, 300 + i);
  *stop = (PetscBool)(i == log->stop_at);
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectEvents(const Log *log, const int expected[], int n)
{
  PetscFunctionBegin;
  CHECK(log->n == n, "%d hook calls instead of %d", log->n, n);
  for (int i = 0; i < n; i++)
    CHECK(log->events[i] == expected[i], "call %d is %d instead of %d", i, log->events[i], expected[i]);
  PetscFunctionReturn(0);
}

static PetscErrorCode Hooks(void)
{
  const DenseMap map = {FPMHEAVYBALL, 0.4, 0.3};
  Log log = {.stop_at = -1};
  PetscReal *expected;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(NULL, "-lls_fpm_type heavyball -lls_fpm_step 0.4 -lls_fpm_momentum 0.3", 0, &k));
  PetscCall(DenseMapGetSize(k.dense, &map, &log.nx));
  PetscCall(PetscMalloc2(8 * log.nx, &log.x, log.nx, &expected));
  PetscCall(LLSSetRecord(k.lls, Record, &log));
  PetscCall(LLSSetStop(k.lls, Stop, &log));
  PetscCall(LLSMonitorSet(k.lls, Monitor, &log));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 3));
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 3));
  /* after the last step there is nothing left to stop */
  PetscCall(ExpectEvents(&log, (int[]){100, 201, 301, 101, 202, 302, 102, 203}, 8));
  for (PetscInt i = 0; i < 3; i++) {
    PetscCall(DenseIterate(&k, &map, i, expected));
    const PetscReal difference = ArrayDifference(log.nx, log.x + i * log.nx, expected);
    CHECK(difference <= 1e-13, "state %d was recorded %g elsewhere", (int)i, difference);
  }
  for (PetscInt i = 1; i < 3; i++) { /* ||x_i - x_{i-1}|| of what was recorded */
    PetscReal sum = 0;
    for (PetscInt j = 0; j < log.nx; j++)
      sum += PetscSqr(log.x[i * log.nx + j] - log.x[(i - 1) * log.nx + j]);
    CHECK_CLOSE(log.change[i], PetscSqrtReal(sum), 1e-13, "change");
  }
  log.n = 0;
  log.stop_at = 2;
  PetscCall(Solve(&k, LLS_STOPPED, 2));
  PetscCall(ExpectEvents(&log, (int[]){100, 201, 301, 101, 202, 302}, 6));
  log.n = 0;
  PetscCall(LLSSetRecord(k.lls, NULL, NULL));
  PetscCall(LLSSetStop(k.lls, NULL, NULL));
  PetscCall(LLSMonitorSet(k.lls, NULL, NULL));
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 3));
  PetscCall(ExpectEvents(&log, NULL, 0));
  PetscCall(PetscFree2(log.x, expected));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ tolerances */

/* The solve ends at the first step that meets the tolerance, neither before nor after. */
static PetscErrorCode Tolerances(const char text[])
{
  Log log = {.stop_at = -1};
  PetscReal norm, change;
  PetscInt its;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(NULL, text, 0, &k));
  PetscCall(LLSSetTolerances(k.lls, 1e-2, PETSC_DEFAULT, 50));
  PetscCall(LLSMonitorSet(k.lls, Monitor, &log));
  PetscCall(Solve(&k, LLS_CONVERGED_RTOL, -1));
  PetscCall(LLSGetIterationNumber(k.lls, &its));
  PetscCall(LLSGetChange(k.lls, &change));
  PetscCall(StateNorm(k.x, &norm));
  CHECK(its > 2 && change <= 1e-2 * norm, "%d steps, change %g of %g", (int)its, change, norm);
  CHECK(change == log.change[its], "change %g, the monitor saw %g", change, log.change[its]);
  PetscCall(LLSSetTolerances(k.lls, 0, 0, its - 1));
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, its - 1));
  PetscCall(StateNorm(k.x, &norm));
  CHECK(log.change[its - 1] > 1e-2 * norm, "the tolerance was met a step before");
  PetscCall(LLSSetTolerances(k.lls, 1e-2, 0, its - 1));
  PetscCall(Solve(&k, LLS_DIVERGED_ITS, its - 1));
  PetscCall(LLSSetTolerances(k.lls, 1e-2, 0, 0));
  PetscCall(Solve(&k, LLS_DIVERGED_ITS, 0));

  const PetscReal atol = log.change[its - 1];
  PetscCall(LLSSetTolerances(k.lls, 0, atol, 50));
  PetscCall(Solve(&k, LLS_CONVERGED_ATOL, its - 1));
  PetscCall(LLSSetTolerances(k.lls, 0, atol, its - 2));
  PetscCall(Solve(&k, LLS_DIVERGED_ITS, its - 2));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* At a fixed point one step shows it. */
static PetscErrorCode FromTheSolution(void)
{
  LLSConvergedReason reason;
  PetscInt its;
  PetscReal f, *w;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(NULL, "-lls_fpm_step 0.5", 1, &k));
  PetscCall(PetscMalloc1(k.dense->nw, &w));
  PetscCall(DenseExact(k.dense, k.l, w, &f, NULL));
  PetscCall(StateFill(k.x, w));
  PetscCall(LLSSetTolerances(k.lls, 1e-12, 0, 50));
  PetscCall(LLSSolve(k.lls, k.lambda, k.x));
  PetscCall(LLSGetConvergedReason(k.lls, &reason));
  PetscCall(LLSGetIterationNumber(k.lls, &its));
  CHECK(reason == LLS_CONVERGED_RTOL && its == 1, "%s after %d steps", LLSConvergedReasons[reason], (int)its);
  PetscCall(PetscFree(w));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ divergence */

static PetscErrorCode Divergence(const char type[])
{
  char text[128];
  FPM fpm;
  Case k;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_fpm_type %s -lls_fpm_step 2", type));
  PetscCall(CaseCreate(NULL, text, 5, &k)); /* alpha H is about 20: growth by 20 a step */
  PetscCall(LLSSetTolerances(k.lls, 1e-8, 0, 500));
  PetscCall(Solve(&k, LLS_DIVERGED_DTOL, -1));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 10)); /* ten steps are ten steps, watched or not */
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 10));
  Log log = {.stop_at = -1};
  PetscCall(LLSMonitorSet(k.lls, Monitor, &log));
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 10));
  PetscCall(LLSMonitorSet(k.lls, NULL, NULL));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 500)); /* 20^500 overflows */
  PetscCall(Solve(&k, LLS_DIVERGED_NANORINF, -1));

  PetscCall(LLSGetFPM(k.lls, &fpm));
  PetscCall(FPMSetStep(fpm, 1e200)); /* overflow in the second step, before any growth is measured */
  PetscCall(LLSSetTolerances(k.lls, 1e-8, 0, 500));
  PetscCall(Solve(&k, LLS_DIVERGED_NANORINF, -1));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 5));
  PetscCall(Solve(&k, LLS_DIVERGED_NANORINF, -1));

  PetscCall(FPMSetStep(fpm, 0.01));
  PetscCall(VecSet(k.lambda, (PetscScalar)NAN));
  PetscCall(Solve(&k, LLS_DIVERGED_NANORINF, -1));
  PetscCall(LLSSetTolerances(k.lls, 1e-8, 0, 500));
  PetscCall(Solve(&k, LLS_DIVERGED_NANORINF, 1)); /* seen at once */
  PetscCall(VecFill(k.lambda, k.l));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 5)); /* nothing of it is left */
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 5));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A solve that is stopped and continued makes the steps of one that is not, whatever history it keeps; and a
   solve after it begins anew. */
static PetscErrorCode Continued(const char text[])
{
  const PetscInt legs[] = {1, 4, 9};
  PetscReal difference;
  State whole;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(NULL, text, 1, &k));
  PetscCall(StateCreate(k.x->v[0], k.x->n, &whole));
  PetscCall(LLSSetTolerances(k.lls, 0, 0, 14));
  PetscCall(Solve(&k, LLS_CONVERGED_ITS, 14));
  PetscCall(StateCopy(k.x, whole));
  PetscCall(StateZero(k.x));
  for (int i = 0; i < 3; i++) {
    PetscCall(LLSSetTolerances(k.lls, 0, 0, legs[i]));
    PetscCall(i ? LLSContinue_Private(k.lls, k.lambda, k.x) : LLSSolve(k.lls, k.lambda, k.x));
  }
  for (int again = 0; again < 2; again++) {
    PetscCall(VecAXPY(k.x->v[0], -1, whole->v[0]));
    PetscCall(VecNorm(k.x->v[0], NORM_2, &difference));
    CHECK(difference == 0, "%s: %s differs by %g", text, again ? "solved again it" : "continued it",
          difference);
    PetscCall(LLSSetTolerances(k.lls, 0, 0, 14));
    PetscCall(Solve(&k, LLS_CONVERGED_ITS, 14));
  }
  PetscCall(StateDestroy(&whole));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  PetscReal rtol, atol;
  PetscInt max_it;
  LLS lls;

  PetscFunctionBegin;
  PetscCall(LLSCreate(TEST_COMM, &lls));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, LLSSetUp(lls)); /* no problem */
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, LLSSetType(lls, "picad"));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSSetTolerances(lls, -1, 0, 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSSetTolerances(lls, 1, 0, 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSSetTolerances(lls, (PetscReal)NAN, 0, 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSSetTolerances(lls, 0, -1, 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSSetTolerances(lls, 0, 0, -1));
  PetscCall(LLSSetTolerances(lls, 0.5, 0.25, 7));
  PetscCall(LLSSetTolerances(lls, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(LLSGetTolerances(lls, &rtol, &atol, &max_it));
  CHECK(rtol == 0.5 && atol == 0.25 && max_it == 7, "%g %g %d", rtol, atol, (int)max_it);
  PetscCall(LLSDestroy(&lls));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char *const gd = "-lls_fpm_step 0.5",
                    *const heavyball = "-lls_fpm_type heavyball -lls_fpm_step 0.4 -lls_fpm_momentum 0.3";

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FixedSteps(NULL, gd, (DenseMap){FPMGD, 0.5, 0}));
  PetscCall(FixedSteps(NULL, heavyball, (DenseMap){FPMHEAVYBALL, 0.4, 0.3}));
  PetscCall(FixedSteps("a_", "-a_lls_fpm_type heavyball -a_lls_fpm_step 0.2 -a_lls_fpm_momentum 0.6",
                       (DenseMap){FPMHEAVYBALL, 0.2, 0.6}));
  PetscCall(Hooks());
  PetscCall(Tolerances(gd));
  PetscCall(Tolerances(heavyball));
  PetscCall(FromTheSolution());
  PetscCall(Divergence(FPMGD));
  PetscCall(Divergence(FPMHEAVYBALL));
  PetscCall(Continued(gd));
  PetscCall(Continued(heavyball));
  PetscCall(Continued("-lls_type anderson -lls_fpm_step 0.5"));
  PetscCall(Continued("-lls_type anderson -lls_anderson_depth 2 -lls_fpm_step 0.5"));
  PetscCall(Refusals());
  PetscCall(TestFinalize());
  return 0;
}
