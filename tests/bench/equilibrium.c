/* Rates of classifiers of fixed points beside bare BLAS, in one run:

     OPENBLAS_NUM_THREADS=1 mpirun -n 2 bench-equilibrium [-bench_n 5000] [-bench_p 784] [-bench_t 20]
       [-bench_runs 11] [-bench_cpu] [-blp_equilibrium_h 200]
       [-blp_type convequilibrium -blp_convequilibrium_pool 2 -blp_convequilibrium_channels 8]

   t steps from w = 0 and a hypergradient by k = t steps of the fixed-point method, counted as the products of
   matrices that the formulas have, and as a share of gemm's rate. gemm: (m x m) (m x columns) over what this
   rank has of w, m = h where states are dense, else 200. Then k steps on the adjoint system alone, by one
   KSP after the other in turns, as multiples of the fixed-point method's time. Nothing is judged. */
#include "bench.h"
#include <petscblaslapack.h>

typedef struct {
  BLP blp;
  HG hg;
  Vec lambda, g, w, v, y;
  PetscBLASInt m, columns; /* of gemm */
  PetscScalar *A;
} Bench;

static PetscErrorCode Gemm(void *ctx)
{
  const Bench *const b = ctx;
  const PetscScalar one = 1, zero = 0, *w;
  PetscScalar *y;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(b->w, &w));
  PetscCall(VecGetArrayWrite(b->y, &y));
  BLASgemm_("T", "N", &b->m, &b->columns, &b->m, &one, b->A, &b->m, w, &b->m, &zero, y, &b->m);
  PetscCall(VecRestoreArrayWrite(b->y, &y));
  PetscCall(VecRestoreArrayRead(b->w, &w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Step(void *ctx)
{
  const Bench *const b = ctx;

  return BLPMapSteps(b->blp, b->lambda, 1, b->w);
}

static PetscErrorCode Steps(void *ctx)
{
  const Bench *const b = ctx;

  return BLPMapSteps(b->blp, b->lambda, 20, b->w);
}

static PetscErrorCode Transposed(void *ctx)
{
  const Bench *const b = ctx;

  return BLPMapVJP(b->blp, b->v, b->y);
}

static PetscErrorCode Parameters(void *ctx)
{
  const Bench *const b = ctx;

  return BLPMapParameterVJP(b->blp, b->v, b->g);
}

/* At a new lambda, although the same. */
static PetscErrorCode Hypergradient(void *ctx)
{
  const Bench *const b = ctx;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(BLPGetStart(b->blp, b->lambda));
  PetscCall(HGSolve(b->hg, b->lambda, &f, b->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* n random samples of ten classes, a fifth of their features not 0. */
static PetscErrorCode MakeSamples(PetscInt n, PetscInt p, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, first, nnz = 0, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(PETSC_COMM_WORLD, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  first -= nlocal;
  PetscCall(PetscMalloc4(nlocal + 1, &rowptr, nlocal * p, &col, nlocal * p, &val, nlocal, &label));
  for (PetscInt i = 0; i < nlocal; i++) {
    rowptr[i] = nnz;
    label[i] = (PetscReal)((first + i) % 10);
    for (PetscInt j = 0; j < p; j++) {
      if (TwofoldRandomUniform(1, (PetscInt64)(first + i) * p + j) > 0.2) continue;
      col[nnz] = j;
      val[nnz++] = TwofoldRandomUniform(2, (PetscInt64)(first + i) * p + j);
    }
  }
  rowptr[nlocal] = nnz;
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, label, p, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(PetscInt n, PetscInt p, PetscInt t, Bench *b)
{
  PetscInt nlocal, h;
  PetscBool dense;
  DataSet ds;
  char text[256];

  PetscFunctionBegin;
  PetscCall(MakeSamples(n, p, &ds));
  PetscCall(
      PetscSNPrintf(text, sizeof(text),
                    "-lls_max_it %d -hg_type aid -hg_ksp_type fixedpoint -hg_ksp_rtol 0 -hg_ksp_max_it %d",
                    (int)t, (int)t));
  PetscCall(PetscOptionsInsertString(NULL, text));
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &b->blp));
  PetscCall(BLPSetType(b->blp, BLPEQUILIBRIUM));
  PetscCall(BLPSetData(b->blp, ds, NULL, NULL));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(BLPSetFromOptions(b->blp));
  PetscCall(BLPCreateVecs(b->blp, &b->lambda, &b->w));
  PetscCall(VecDuplicate(b->lambda, &b->g));
  PetscCall(VecDuplicate(b->w, &b->v));
  PetscCall(VecDuplicate(b->w, &b->y));
  PetscCall(BLPGetStart(b->blp, b->lambda));
  PetscCall(VecSet(b->v, 1));
  PetscCall(VecGetBlockSize(b->w, &h));
  PetscCall(VecGetLocalSize(b->w, &nlocal));
  PetscCall(PetscObjectTypeCompare((PetscObject)b->blp, BLPEQUILIBRIUM, &dense));
  b->m = dense ? (PetscBLASInt)h : 200;
  b->columns = (PetscBLASInt)(nlocal / b->m);
  PetscCall(PetscMalloc1(b->m * b->m, &b->A));
  for (PetscInt k = 0; k < b->m * b->m; k++) b->A[k] = TwofoldRandomUniform(3, k);
  PetscCall(HGCreate(PETSC_COMM_WORLD, &b->hg));
  PetscCall(HGSetBLP(b->hg, b->blp));
  PetscCall(HGSetFromOptions(b->hg));
  PetscCall(HGSetUp(b->hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Gflop of products with A and with B, or with their gradients, for n samples. */
static PetscErrorCode Count(BLP blp, PetscInt n, PetscInt p, double *A, double *B)
{
  PetscInt h = 200, channels = 8, pool = 1;
  PetscBool dense;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)blp, BLPEQUILIBRIUM, &dense));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-blp_equilibrium_h", &h, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-blp_convequilibrium_channels", &channels, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-blp_convequilibrium_pool", &pool, NULL));
  const double pixels = (double)p / (double)(pool * pool), taps = 18e-9 * (double)channels * pixels;
  *A = (double)n * (dense ? 2e-9 * (double)h * (double)h : taps * (double)channels);
  *B = (double)n * (dense ? 2e-9 * (double)h * (double)p : taps);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Time, the rate in the quickest run, and that as a share of gemm's, which comes first. */
static PetscErrorCode Measure(PetscErrorCode (*kernel)(void *), Bench *b, const char name[], PetscInt runs,
                              double gflop, double *rate)
{
  double ms;

  PetscFunctionBegin;
  PetscCall(BenchMeasureLeast(kernel, b, name, runs, &ms));
  const double own = 1e3 * gflop / ms;
  if (*rate == 0) *rate = own;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %.3f Gflop, %.2f Gflop/s, %.0f %% of gemm\n", gflop, own,
                        100 * own / *rate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* t steps of each, from 0 and without norms where that is to be had; medians. */
static PetscErrorCode Adjoints(Bench *b, PetscInt t, PetscInt runs)
{
  const KSPType types[] = {KSPFIXEDPOINT, KSPCGNR, KSPCGNE};
  enum { n = sizeof(types) / sizeof(types[0]) };
  PetscLogDouble begin, end;
  PetscBool cpu = PETSC_FALSE;
  double *ms[n];
  KSP own, ksp[n];
  Mat A;
  PC pc;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-bench_cpu", &cpu, NULL));
  PetscCall(HGGetKSP(b->hg, &own));
  PetscCall(KSPGetOperators(own, &A, NULL));
  for (int i = 0; i < n; i++) {
    PetscCall(PetscMalloc1(runs, &ms[i]));
    PetscCall(KSPCreate(PETSC_COMM_WORLD, &ksp[i]));
    PetscCall(KSPSetOperators(ksp[i], A, A));
    PetscCall(KSPSetType(ksp[i], types[i]));
    PetscCall(KSPGetPC(ksp[i], &pc));
    PetscCall(PCSetType(pc, PCNONE));
    if (i < 2) PetscCall(KSPSetNormType(ksp[i], KSP_NORM_NONE));
    PetscCall(KSPSetConvergenceTest(ksp[i], KSPConvergedSkip, NULL, NULL));
    PetscCall(KSPSetTolerances(ksp[i], 0, PETSC_DEFAULT, PETSC_DEFAULT, t));
  }
  for (PetscInt r = -1; r < runs; r++)
    for (int i = 0; i < n; i++) {
      PetscCall(BenchTime(cpu, &begin));
      PetscCall(KSPSolve(ksp[i], b->v, b->y));
      PetscCall(BenchTime(cpu, &end));
      if (r >= 0) ms[i][r] = 1e3 * (end - begin);
    }
  for (int i = 0; i < n; i++) {
    qsort(ms[i], (size_t)runs, sizeof(*ms[i]), BenchCompareTimes);
    PetscCall(PetscPrintf(
        PETSC_COMM_WORLD, "%" PetscInt_FMT " steps of %-12s %8.2f ms (%.2f to %.2f), %.2f times the first\n",
        t, types[i], ms[i][runs / 2], ms[i][0], ms[i][runs - 1], ms[i][runs / 2] / ms[0][runs / 2]));
  }
  for (int i = 0; i < n; i++) {
    PetscCall(PetscFree(ms[i]));
    PetscCall(KSPDestroy(&ksp[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscInt n = 5000, p = 784, t = 20, runs = 11, nw;
  double A, B, rate = 0;
  Bench b;

  PetscFunctionBeginUser;
  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_n", &n, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_p", &p, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_t", &t, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCall(Create(n, p, t, &b));
  PetscCall(Count(b.blp, n, p, &A, &B));
  PetscCall(VecGetSize(b.w, &nw));
  const double gemm = 2e-9 * b.m * (double)nw;
  PetscCall(Measure(Gemm, &b, "gemm", runs, gemm, &rate));
  PetscCall(Measure(Step, &b, "a step of the map", runs, A, &rate));
  PetscCall(Measure(Steps, &b, "20 steps at once", runs, 20 * A, &rate));
  PetscCall(BLPMapLinearize(b.blp, b.lambda, b.w));
  PetscCall(Measure(Transposed, &b, "d1Phi^T v", runs, A, &rate));
  PetscCall(Measure(Parameters, &b, "d2Phi^T v", runs, A + B, &rate));
  PetscCall(Measure(Hypergradient, &b, "hypergradient", runs, (2.0 * (double)t + 2) * A + 2 * B, &rate));
  PetscCall(Measure(Gemm, &b, "gemm, again", runs, gemm, &rate));
  PetscCall(Adjoints(&b, t, runs));
  PetscCall(PetscFree(b.A));
  PetscCall(HGDestroy(&b.hg));
  PetscCall(VecDestroy(&b.lambda));
  PetscCall(VecDestroy(&b.g));
  PetscCall(VecDestroy(&b.w));
  PetscCall(VecDestroy(&b.v));
  PetscCall(VecDestroy(&b.y));
  PetscCall(BLPDestroy(&b.blp));
  PetscCall(TwofoldFinalize());
  return 0;
}
