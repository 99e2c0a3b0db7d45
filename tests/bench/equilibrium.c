/* Rates of equilibrium beside bare BLAS of the same size, in one run:

     OPENBLAS_NUM_THREADS=1 mpirun -n 2 bench-equilibrium [-bench_n 5000] [-bench_p 784] [-bench_t 20]
   [-bench_runs 11]
       [-blp_equilibrium_h 200]

   t steps from w = 0 and a hypergradient by k = t steps of the fixed-point method, counted as the products of
   matrices that the formulas have. gemm: A W over this rank's samples, (h x h) (h x n). Nothing is judged. */
#include "bench.h"
#include <petscblaslapack.h>

typedef struct {
  BLP blp;
  HG hg;
  Vec lambda, g, w, v, y;
  PetscBLASInt h, n; /* of a state; local samples */
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
  BLASgemm_("T", "N", &b->h, &b->n, &b->h, &one, b->A, &b->h, w, &b->h, &zero, y, &b->h);
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
  b->h = (PetscBLASInt)h;
  b->n = (PetscBLASInt)(nlocal / h);
  PetscCall(PetscMalloc1(h * h, &b->A));
  for (PetscInt k = 0; k < h * h; k++) b->A[k] = TwofoldRandomUniform(3, k);
  PetscCall(HGCreate(PETSC_COMM_WORLD, &b->hg));
  PetscCall(HGSetBLP(b->hg, b->blp));
  PetscCall(HGSetFromOptions(b->hg));
  PetscCall(HGSetUp(b->hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscInt n = 5000, p = 784, t = 20, runs = 11;
  Bench b;

  PetscFunctionBeginUser;
  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_n", &n, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_p", &p, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_t", &t, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCall(Create(n, p, t, &b));
  const double h = b.h, product = 2e-9 * h * h * (double)n, wide = 2e-9 * h * (double)p * (double)n;
  PetscCall(BenchMeasure(Gemm, &b, "gemm, A W", runs));
  PetscCall(BenchMeasure(Step, &b, "a step of the map", runs));
  PetscCall(BenchMeasure(Steps, &b, "20 steps at once", runs));
  PetscCall(BLPMapLinearize(b.blp, b.lambda, b.w));
  PetscCall(BenchMeasure(Transposed, &b, "d1Phi^T v", runs));
  PetscCall(BenchMeasure(Parameters, &b, "d2Phi^T v", runs));
  PetscCall(BenchMeasure(Hypergradient, &b, "hypergradient", runs));
  PetscCall(BenchMeasure(Gemm, &b, "gemm, A W, again", runs));
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD,
                  "products: %.3f Gflop each of A W, %.3f in a step to d2Phi^T v, %.3f in a hypergradient\n",
                  product, product + wide, (2.0 * (double)t + 2) * product + 2 * wide));
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
