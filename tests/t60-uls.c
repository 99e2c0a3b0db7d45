/* The upper-level solver: iterates against a hand-written loop, reasons, hooks, checkpoints. */
#include <petscviewerhdf5.h>
#include "dense.h"
#include "files.h"

static const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
static const char *const itd = "-hg_type itd -lls_max_it 15 -lls_fpm_step 0.4";

typedef struct {
  BLP blp;
  Vec start, lambda;
} Case;

static PetscErrorCode CaseCreate(Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->start, NULL));
  PetscCall(VecDuplicate(k->start, &k->lambda));
  PetscCall(SyntheticLambda(k->blp, &spec, 3, 1, 0, k->start));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->start));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(Case *k, const char prefix[], const char a[], const char b[], ULS *uls)
{
  PetscOptions options;
  char text[512];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s", a, b));
  PetscCall(OptionsUse(text, &options));
  PetscCall(ULSCreate(TEST_COMM, uls));
  PetscCall(ULSSetOptionsPrefix(*uls, prefix));
  PetscCall(ULSSetBLP(*uls, k->blp));
  PetscCall(ULSSetFromOptions(*uls));
  PetscCall(ULSSetUp(*uls));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* Solves from the start; the solve must end by this reason after this many steps. */
static PetscErrorCode Solve(Case *k, ULS uls, ULSConvergedReason expected, PetscInt steps)
{
  ULSConvergedReason reason;
  PetscInt it;

  PetscFunctionBegin;
  PetscCall(VecCopy(k->start, k->lambda));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, &reason));
  PetscCall(ULSGetIterationNumber(uls, &it));
  CHECK(reason == expected && it == steps, "%s after %d steps instead of %s after %d",
        ULSConvergedReasons[reason], (int)it, ULSConvergedReasons[expected], (int)steps);
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSame(Vec a, Vec b, const char what[])
{
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(VecEqual(a, b, &same));
  CHECK(same, "%s: lambda is not the same", what);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ iterates */

typedef struct {
  PetscInt n;
  PetscReal f[16], norm[16];
  PetscScalar lambda[16][8];
  PetscBool gradient[16];
} History;

static PetscErrorCode Watch(ULS uls, const ULSPoint *point, void *ctx)
{
  History *history = (History *)ctx;

  PetscFunctionBegin;
  (void)uls;
  history->f[point->it] = point->f;
  history->norm[point->it] = point->hg.norm;
  history->gradient[point->it] = (PetscBool)(point->g != NULL);
  PetscCall(VecGather(point->lambda, history->lambda[point->it]));
  history->n++;
  PetscFunctionReturn(0);
}

/* One step of the hand-written loop. */
static void Advance(PetscInt p, PetscReal step, PetscReal m, PetscBool nesterov, const PetscReal g[],
                    PetscReal v[], PetscReal l[])
{
  for (PetscInt j = 0; j < p; j++) {
    v[j] = m * v[j] + g[j];
    l[j] -= step * (nesterov ? g[j] + m * v[j] : v[j]);
  }
}

static PetscErrorCode Iterates(Case *k, const char prefix[], const char text[], PetscReal m,
                               PetscBool nesterov)
{
  const DenseMap map = {FPMGD, 0.4, 0};
  const PetscInt steps = 5, p = spec.p;
  PetscReal l[8], g[8], v[8] = {0}, f, objective;
  History history = {0};
  Dense *dense;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(DenseCreate(BLPSOFTMAX, &spec, &dense));
  PetscCall(Make(k, prefix, text, "", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &history));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, steps));
  CHECK(history.n == steps + 1, "%d points", (int)history.n);
  PetscCall(VecGather(k->start, l));
  for (PetscInt i = 0; i <= steps; i++) {
    PetscReal norm = 0;
    PetscCall(DenseITD(dense, &map, l, 15, 15, &f, g));
    for (PetscInt j = 0; j < p; j++) norm += g[j] * g[j];
    const PetscReal difference = ArrayDifference(p, history.lambda[i], l);
    CHECK(difference <= 1e-12, "lambda_%d differs by %g", (int)i, difference);
    CHECK_CLOSE(history.f[i], f, 1e-12, "f");
    CHECK(history.gradient[i] == (i < steps), "gradient at point %d", (int)i);
    if (i < steps) CHECK_CLOSE(history.norm[i], PetscSqrtReal(norm), 1e-12, "||g||");
    Advance(p, 3, m, nesterov, g, v, l);
  }
  PetscCall(ULSGetObjective(uls, &objective));
  CHECK(objective == history.f[steps] && objective < history.f[0], "f %g, at the start %g", objective,
        history.f[0]);
  PetscCall(ULSDestroy(&uls));
  PetscCall(DenseDestroy(&dense));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ reasons */

/* Stops at the first point whose gradient is small enough, and makes no step there. */
static PetscErrorCode GradientTolerance(Case *k)
{
  char text[128];
  History history = {0};
  ULS uls;

  PetscFunctionBegin;
  PetscCall(Make(k, NULL, itd, "-uls_step 3 -uls_max_it 6", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &history));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 6));
  PetscCall(ULSDestroy(&uls));
  for (int i = 1; i < 6; i++) CHECK(history.norm[i] < history.norm[i - 1], "||g|| grows at step %d", i);
  PetscCall(PetscSNPrintf(text, sizeof(text), "-uls_step 3 -uls_max_it 6 -uls_gatol %.17g",
                          (double)(history.norm[3] * (1 + 1e-9))));
  PetscCall(Make(k, NULL, itd, text, &uls));
  PetscCall(Solve(k, uls, ULS_CONVERGED_GATOL, 3));
  PetscCall(VecFill(k->start, history.lambda[3]));
  PetscCall(CheckSame(k->lambda, k->start, "gatol"));
  PetscCall(SyntheticLambda(k->blp, &spec, 3, 1, 0, k->start));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* No step is made on a hypergradient that failed. */
static PetscErrorCode Failures(Case *k)
{
  const char *const failing[] = {"-hg_type aid -lls_max_it 5 -lls_fpm_step 1e200",
                                 "-hg_type itd -lls_max_it 5 -lls_fpm_step 1e200",
                                 "-hg_type aid -lls_max_it 500 -lls_fpm_step 50 -lls_rtol 1e-3",
                                 "-hg_type aid -lls_max_it 5 -lls_fpm_step 0.4 -hg_ksp_type richardson "
                                 "-hg_fpm_step 100 -hg_ksp_rtol 1e-3"};
  History history = {0};
  ULS uls;

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) {
    PetscCall(Make(k, NULL, failing[i], "-uls_max_it 4", &uls));
    PetscCall(Solve(k, uls, ULS_DIVERGED_HYPERGRADIENT, 0));
    PetscCall(CheckSame(k->lambda, k->start, failing[i]));
    PetscCall(ULSDestroy(&uls));
  }
  /* a first step so long that f is not finite any more: in the middle, and at the last point */
  PetscCall(Make(k, NULL, itd, "-uls_max_it 3 -uls_step 1e6", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &history));
  PetscCall(Solve(k, uls, ULS_DIVERGED_HYPERGRADIENT, 1));
  PetscCall(VecFill(k->start, history.lambda[1]));
  PetscCall(CheckSame(k->lambda, k->start, "after one step"));
  PetscCall(SyntheticLambda(k->blp, &spec, 3, 1, 0, k->start));
  PetscCall(ULSDestroy(&uls));
  PetscCall(Make(k, NULL, itd, "-uls_max_it 1 -uls_step 1e6", &uls));
  PetscCall(Solve(k, uls, ULS_DIVERGED_HYPERGRADIENT, 1));
  PetscCall(ULSDestroy(&uls));
  /* so long that lambda itself is not finite */
  PetscCall(Make(k, NULL, itd, "-uls_max_it 3 -uls_step 1e308", &uls));
  PetscCall(Solve(k, uls, ULS_DIVERGED_NANORINF, 1));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* A tolerance that was missed: step on, or stop, as asked. */
static PetscErrorCode Inexact(Case *k)
{
  const char *const missed[] = {
      "-hg_type aid -lls_max_it 5 -lls_fpm_step 0.4 -hg_ksp_rtol 1e-9 -hg_ksp_max_it 2",
      "-hg_type itd -lls_max_it 5 -lls_fpm_step 0.4 -lls_rtol 1e-9",
      "-hg_type aid -lls_max_it 5 -lls_fpm_step 0.4 -lls_rtol 1e-9 -hg_ksp_rtol 1e-9"};
  ULS uls;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) {
    PetscCall(Make(k, NULL, missed[i], "-uls_max_it 2", &uls));
    PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 2));
    PetscCall(ULSDestroy(&uls));
    PetscCall(Make(k, NULL, missed[i], "-uls_max_it 2 -uls_on_inexact step", &uls));
    PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 2));
    PetscCall(ULSDestroy(&uls));
    PetscCall(Make(k, NULL, missed[i], "-uls_max_it 2 -uls_on_inexact stop", &uls));
    PetscCall(Solve(k, uls, ULS_DIVERGED_INEXACT, 0));
    PetscCall(CheckSame(k->lambda, k->start, missed[i]));
    PetscCall(ULSDestroy(&uls));
  }
  /* a fixed number of steps misses nothing */
  PetscCall(Make(k, NULL, "-lls_max_it 5 -lls_fpm_step 0.4 -hg_ksp_rtol 0 -hg_ksp_max_it 2",
                 "-uls_max_it 2 -uls_on_inexact stop", &uls));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 2));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hooks */

typedef struct {
  PetscInt calls, stop_at;
} Hook;

static PetscErrorCode AfterStep(ULS uls, PetscInt it, PetscBool *stop, void *ctx)
{
  Hook *hook = (Hook *)ctx;

  PetscFunctionBegin;
  (void)uls;
  hook->calls++;
  CHECK(hook->calls == it, "call %d after step %d", (int)hook->calls, (int)it);
  *stop = (PetscBool)(it == hook->stop_at);
  PetscFunctionReturn(0);
}

/* Counts lower-level steps and stops at the stop_at-th. */
static PetscErrorCode LowerStop(void *ctx, PetscInt i, PetscBool *stop)
{
  Hook *hook = (Hook *)ctx;

  PetscFunctionBegin;
  (void)i;
  *stop = (PetscBool)(++hook->calls == hook->stop_at);
  PetscFunctionReturn(0);
}

static PetscErrorCode StopBelow(Case *k, PetscInt lower_step, PetscInt upper_step)
{
  Hook hook = {0, lower_step};
  ULS uls;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(Make(k, NULL, itd, "-uls_max_it 3", &uls));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetStop(lls, LowerStop, &hook));
  PetscCall(Solve(k, uls, ULS_STOPPED, upper_step));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

static PetscErrorCode Hooks(Case *k)
{
  Hook hook = {0, -1};
  ULS uls;

  PetscFunctionBegin;
  PetscCall(Make(k, NULL, itd, "-uls_max_it 4", &uls));
  PetscCall(ULSSetStepHook(uls, AfterStep, &hook));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 4));
  CHECK(hook.calls == 4, "%d calls", (int)hook.calls);
  PetscCall(ULSDestroy(&uls));
  hook = (Hook){0, 2};
  PetscCall(Make(k, NULL, itd, "-uls_max_it 4", &uls));
  PetscCall(ULSSetStepHook(uls, AfterStep, &hook));
  PetscCall(Solve(k, uls, ULS_STOPPED, 2));
  PetscCall(ULSDestroy(&uls));
  /* 14 calls a solve of 15 steps: within the first, the second, and the evaluation of the last point */
  PetscCall(StopBelow(k, 3, 0));
  PetscCall(StopBelow(k, 20, 1));
  PetscCall(StopBelow(k, 3 * 14 + 2, 3));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ checkpoints */

static PetscErrorCode Save(ULS uls, Vec lambda, const char path[])
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(ULSSaveState(uls, lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

static PetscErrorCode Restore(ULS uls, Vec lambda, const char path[])
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_READ, &viewer));
  PetscCall(ULSRestoreState(uls, lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

/* 3 steps, a checkpoint, 4 more in new objects: bitwise the 7 steps of a run without a break. */
static PetscErrorCode Checkpoint(Case *k, const char folder[], const char method[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscReal f, f_whole;
  PetscInt it;
  Vec whole;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/checkpoint.h5", folder));
  PetscCall(VecDuplicate(k->lambda, &whole));
  PetscCall(Make(k, NULL, method, "-uls_max_it 7", &uls));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 7));
  PetscCall(ULSGetObjective(uls, &f_whole));
  PetscCall(VecCopy(k->lambda, whole));
  PetscCall(ULSDestroy(&uls));

  PetscCall(Make(k, NULL, method, "-uls_max_it 3", &uls));
  PetscCall(Solve(k, uls, ULS_CONVERGED_ITS, 3));
  PetscCall(Save(uls, k->lambda, path));
  PetscCall(ULSSetMaximumIterations(uls, 7)); /* the same objects can go on, too */
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(CheckSame(k->lambda, whole, "gone on"));
  PetscCall(ULSDestroy(&uls));

  PetscCall(Make(k, NULL, method, "-uls_max_it 7", &uls));
  PetscCall(VecSet(k->lambda, 99));
  PetscCall(Restore(uls, k->lambda, path));
  PetscCall(ULSGetIterationNumber(uls, &it));
  CHECK(it == 3, "restored iteration %d", (int)it);
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetIterationNumber(uls, &it));
  PetscCall(ULSGetObjective(uls, &f));
  CHECK(it == 7 && f == f_whole, "step %d, f %.17g instead of %.17g", (int)it, f, f_whole);
  PetscCall(CheckSame(k->lambda, whole, method));
  PetscCall(ULSDestroy(&uls));
  PetscCall(VecDestroy(&whole));
  PetscFunctionReturn(0);
}

static PetscErrorCode Checkpoints(Case *k)
{
  const char *const methods[] = {
      "-hg_type itd -lls_max_it 6 -lls_fpm_step 0.4 -uls_step 2",
      "-hg_type aid -lls_max_it 6 -lls_fpm_step 0.4 -hg_ksp_rtol 0 -hg_ksp_max_it 4 -uls_momentum 0.5",
      "-hg_type itd -lls_max_it 6 -lls_fpm_step 0.4 -uls_momentum 0.5 -uls_momentum_type nesterov "
      "-lls_warm_start",
      "-hg_type aid -lls_max_it 6 -lls_fpm_type heavyball -lls_fpm_step 0.4 -lls_fpm_momentum 0.3 "
      "-lls_warm_start -hg_warm_start -hg_ksp_type richardson -hg_fpm_type heavyball -hg_fpm_step 0.4 "
      "-hg_fpm_momentum 0.3 -hg_ksp_rtol 0 -hg_ksp_max_it 4 -uls_momentum 0.3"};
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(FolderCreate(folder));
  for (int i = 0; i < 4; i++) PetscCall(Checkpoint(k, folder, methods[i]));
  PetscCall(FolderRemove(folder));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode BadOption(Case *k, const char text[])
{
  PetscOptions options;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(ULSCreate(TEST_COMM, &uls));
  PetscCall(ULSSetBLP(uls, k->blp));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, ULSSetFromOptions(uls));
  PetscCall(OptionsDrop(&options));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(Case *k)
{
  const char *const bad[] = {"-uls_step 0",       "-uls_step -1",       "-uls_step inf",   "-uls_max_it -1",
                             "-uls_momentum 1.5", "-uls_momentum -0.1", "-uls_momentum 1", "-uls_gatol -1"};
  ULS uls;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) PetscCall(BadOption(k, bad[i]));
  PetscCall(ULSCreate(TEST_COMM, &uls));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, ULSSetUp(uls)); /* no problem */
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, ULSSetType(uls, "decent"));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, ULSSetStep(uls, (PetscReal)NAN));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(&k));
  PetscCall(Iterates(&k, NULL, "-hg_type itd -lls_max_it 15 -lls_fpm_step 0.4 -uls_step 3 -uls_max_it 5", 0,
                     PETSC_FALSE));
  PetscCall(Iterates(
      &k, NULL, "-hg_type itd -lls_max_it 15 -lls_fpm_step 0.4 -uls_step 3 -uls_max_it 5 -uls_momentum 0.6",
      0.6, PETSC_FALSE));
  PetscCall(
      Iterates(&k, NULL,
               "-hg_type itd -lls_max_it 15 -lls_fpm_step 0.4 -uls_step 3 -uls_max_it 5 -uls_momentum 0.6 "
               "-uls_momentum_type nesterov",
               0.6, PETSC_TRUE));
  PetscCall(
      Iterates(&k, "a_",
               "-uls_step 1 -a_hg_type itd -a_lls_max_it 15 -a_lls_fpm_step 0.4 -a_uls_step 3 -a_uls_max_it "
               "5 -a_uls_momentum 0.6",
               0.6, PETSC_FALSE));
  PetscCall(GradientTolerance(&k));
  PetscCall(Failures(&k));
  PetscCall(Inexact(&k));
  PetscCall(Hooks(&k));
  PetscCall(Checkpoints(&k));
  PetscCall(Refusals(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
