/* ITD through PETSc's time steppers, beside HG's own: the lower level's steps are those of forward Euler with
   step 1 on u' = Phi(u) - u, and TSAdjointSolve() goes back over TS's own trajectory in memory:

     mpirun -n 2 bench-tsadjoint -blp_data synthetic -lls_max_it 100 [-bench_runs 5] ...

   The options are those of `twofold hypergrad -hg_type itd` for a map on one vector. Prints medians over
   interleaved runs, s, the largest difference of the gradients, relative to their norm, and memory; fails
   where they differ by more than 1e-12. */
#include "bench.h"
#include <petscts.h>

enum { MAX_RUNS = 101 };

typedef struct {
  BLP blp;
  FPM fpm;
  HG hg;
  Vec lambda, g, ts_g, grad1; /* grad1 E, and TS's adjoint */
  State u, a, b;              /* what TS gives, by copies: a map works on states of its own */
  Mat jacobian, by_lambda;
  TS ts;
  PetscInt steps;
  PetscLogDouble trajectory; /* growth of this process while TS records, bytes */
} Bench;

/* F(u) = Phi(u) - u */
static PetscErrorCode Function(TS ts, PetscReal time, Vec u, Vec f, void *ctx)
{
  Bench *b = (Bench *)ctx;

  PetscFunctionBegin;
  (void)ts;
  (void)time;
  PetscCall(VecCopy(u, b->u->v[0]));
  PetscCall(FPMStep(b->fpm, b->lambda, b->u, NULL));
  PetscCall(VecWAXPY(f, -1, u, b->u->v[0]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Linearize(TS ts, PetscReal time, Vec u, Mat J, Mat P, void *ctx)
{
  Bench *b = (Bench *)ctx;

  PetscFunctionBegin;
  (void)ts;
  (void)time;
  (void)J;
  (void)P;
  PetscCall(VecCopy(u, b->u->v[0]));
  PetscCall(FPMLinearize(b->fpm, b->lambda, b->u));
  PetscFunctionReturn(0);
}

/* TS asks for both derivatives at the same point, the one in u first. */
static PetscErrorCode KeepPoint(TS ts, PetscReal time, Vec u, Mat P, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(Linearize(ts, time, u, NULL, P, ctx));
  PetscFunctionReturn(0);
}

/* (d1Phi^T - I) v */
static PetscErrorCode JacobianTranspose(Mat J, Vec v, Vec y)
{
  Bench *b;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(J, &b));
  PetscCall(VecCopy(v, b->a->v[0]));
  PetscCall(FPMVJP(b->fpm, b->a, b->b));
  PetscCall(VecWAXPY(y, -1, v, b->b->v[0]));
  PetscFunctionReturn(0);
}

/* d2Phi^T v */
static PetscErrorCode ByLambdaTranspose(Mat P, Vec v, Vec g)
{
  Bench *b;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(P, &b));
  PetscCall(VecCopy(v, b->a->v[0]));
  PetscCall(VecZeroEntries(g));
  PetscCall(FPMParameterVJPAdd(b->fpm, b->a, g));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateShell(Bench *b, Vec rows, Vec columns, void (*transpose)(void), Mat *A)
{
  PetscInt m, n, M, N;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(rows, &m));
  PetscCall(VecGetLocalSize(columns, &n));
  PetscCall(VecGetSize(rows, &M));
  PetscCall(VecGetSize(columns, &N));
  PetscCall(MatCreateShell(PETSC_COMM_WORLD, m, n, M, N, b, A));
  PetscCall(MatShellSetOperation(*A, MATOP_MULT_TRANSPOSE, transpose));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateTS(Bench *b)
{
  TSTrajectory trajectory;

  PetscFunctionBegin;
  PetscCall(TSCreate(PETSC_COMM_WORLD, &b->ts));
  PetscCall(TSSetType(b->ts, TSRK));
  PetscCall(TSRKSetType(b->ts, TSRK1FE)); /* forward Euler that has an adjoint */
  PetscCall(TSSetRHSFunction(b->ts, NULL, Function, b));
  PetscCall(CreateShell(b, b->grad1, b->grad1, (void (*)(void))JacobianTranspose, &b->jacobian));
  PetscCall(CreateShell(b, b->grad1, b->lambda, (void (*)(void))ByLambdaTranspose, &b->by_lambda));
  PetscCall(TSSetRHSJacobian(b->ts, b->jacobian, b->jacobian, Linearize, b));
  PetscCall(TSSetRHSJacobianP(b->ts, b->by_lambda, KeepPoint, b));
  PetscCall(TSSetExactFinalTime(b->ts, TS_EXACTFINALTIME_STEPOVER));
  PetscCall(TSSetSaveTrajectory(b->ts));
  PetscCall(TSGetTrajectory(b->ts, &trajectory));
  PetscCall(TSTrajectorySetType(trajectory, b->ts, TSTRAJECTORYMEMORY)); /* by default it writes files */
  PetscCall(TSSetFromOptions(b->ts));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveTS(Bench *b, Vec w, PetscReal *f)
{
  PetscLogDouble before, after;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(w));
  PetscCall(FPMPrepare(b->fpm, b->lambda));
  PetscCall(TSSetTime(b->ts, 0));
  PetscCall(TSSetStepNumber(b->ts, 0));
  PetscCall(TSSetTimeStep(b->ts, 1));
  PetscCall(TSSetMaxSteps(b->ts, b->steps));
  PetscCall(TSSetMaxTime(b->ts, PETSC_MAX_REAL));
  PetscCall(PetscMemoryGetCurrentUsage(&before));
  PetscCall(TSSolve(b->ts, w));
  PetscCall(PetscMemoryGetCurrentUsage(&after));
  b->trajectory = PetscMax(b->trajectory, after - before);
  PetscCall(BLPUpper(b->blp, b->lambda, w, f, b->grad1, b->ts_g)); /* g = grad2 E, to which TS adds */
  PetscCall(TSSetCostGradients(b->ts, 1, &b->grad1, &b->ts_g));
  PetscCall(TSAdjointSolve(b->ts));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(Bench *b)
{
  LLS lls;

  PetscFunctionBegin;
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &b->blp));
  PetscCall(BLPSetFromOptions(b->blp));
  PetscCall(BLPCreateVecs(b->blp, &b->lambda, &b->grad1));
  PetscCall(VecDuplicate(b->lambda, &b->g));
  PetscCall(VecDuplicate(b->lambda, &b->ts_g));
  PetscCall(HGCreate(PETSC_COMM_WORLD, &b->hg));
  PetscCall(HGSetType(b->hg, HGITD));
  PetscCall(HGSetBLP(b->hg, b->blp));
  PetscCall(HGSetFromOptions(b->hg));
  PetscCall(HGSetUp(b->hg));
  PetscCall(HGGetLLS(b->hg, &lls));
  PetscCall(LLSGetFPM(lls, &b->fpm));
  PetscCall(LLSGetTolerances(lls, NULL, NULL, &b->steps));
  PetscCall(FPMCreateState(b->fpm, &b->u));
  PetscCheck(b->u->n == 1, PETSC_COMM_WORLD, PETSC_ERR_SUP, "a map on one vector alone: -lls_fpm_type gd");
  PetscCall(FPMCreateState(b->fpm, &b->a));
  PetscCall(FPMCreateState(b->fpm, &b->b));
  PetscCall(CreateTS(b));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Bench *b)
{
  PetscFunctionBegin;
  PetscCall(TSDestroy(&b->ts));
  PetscCall(MatDestroy(&b->jacobian));
  PetscCall(MatDestroy(&b->by_lambda));
  PetscCall(StateDestroy(&b->u));
  PetscCall(StateDestroy(&b->a));
  PetscCall(StateDestroy(&b->b));
  PetscCall(VecDestroy(&b->lambda));
  PetscCall(VecDestroy(&b->g));
  PetscCall(VecDestroy(&b->ts_g));
  PetscCall(VecDestroy(&b->grad1));
  PetscCall(HGDestroy(&b->hg));
  PetscCall(BLPDestroy(&b->blp));
  PetscFunctionReturn(0);
}

/* Both once: the times, and the difference of the gradients relative to the norm. */
static PetscErrorCode Once(Bench *b, double *own, double *ts, PetscReal *difference)
{
  PetscLogDouble begin, middle, end;
  PetscReal f, ts_f, norm;
  Vec w;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(b->grad1, &w));
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscTime(&begin));
  PetscCall(HGSolve(b->hg, b->lambda, &f, b->g));
  PetscCall(PetscTime(&middle));
  PetscCall(SolveTS(b, w, &ts_f));
  PetscCall(PetscTime(&end));
  *own = middle - begin;
  *ts = end - middle;
  PetscCall(VecNorm(b->g, NORM_2, &norm));
  PetscCall(VecAXPY(b->ts_g, -1, b->g));
  PetscCall(VecNorm(b->ts_g, NORM_2, difference));
  *difference = *difference / norm + PetscAbsReal(ts_f - f) / PetscAbsReal(f);
  PetscCheck(*difference <= 1e-12, PETSC_COMM_WORLD, PETSC_ERR_PLIB,
             "f %.17g by itd and %.17g by TS; relative difference %g", (double)f, (double)ts_f,
             (double)*difference); /* nor NaN */
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  double own[MAX_RUNS], ts[MAX_RUNS];
  PetscReal difference, most = 0;
  PetscInt runs = 5;
  Bench b = {.trajectory = 0};
  TapeCounts counts;
  Tape tape;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCheck(runs > 0 && runs <= MAX_RUNS, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE, "-bench_runs: 1 to %d",
             MAX_RUNS);
  PetscCall(Create(&b));
  for (PetscInt r = 0; r < runs; r++) {
    PetscCall(Once(&b, &own[r], &ts[r], &difference));
    most = PetscMax(most, difference);
  }
  qsort(own, (size_t)runs, sizeof(*own), BenchCompareTimes);
  qsort(ts, (size_t)runs, sizeof(*ts), BenchCompareTimes);
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD, "%d steps: itd %.3f s, TSAdjointSolve %.3f s, ratio %.2f; relative difference %.2g\n",
      (int)b.steps, own[runs / 2], ts[runs / 2], ts[runs / 2] / own[runs / 2], (double)most));
  PetscCall(HGGetTape(b.hg, &tape));
  PetscCall(TapeGetCounts(tape, &counts));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "memory of the first rank: tape %.1f MB, TS's trajectory %.1f MB\n",
                        counts.ram / 1e6, b.trajectory / 1e6));
  PetscCall(Destroy(&b));
  PetscCall(TwofoldFinalize());
  return 0;
}
