/* Median times of kernel ridge regression beside bare BLAS of the same size, in ms:

     mpirun -n 2 bench-krr [-blp_synthetic_n 3000] [-blp_synthetic_p 20] [-bench_runs 11]

   gemv: this rank's rows of K times one vector; gemm: times p vectors. Nothing is judged. */
#include "bench.h"
#include <petscblaslapack.h>

typedef struct {
  BLP blp;
  Vec lambda, w, v, y, g;
  PetscBLASInt m, n, p; /* local and global samples, features */
  PetscScalar *A, *B, *C;
} Bench;

/* A new lambda, although the same. */
static PetscErrorCode SetUp(void *ctx)
{
  const Bench *const b = ctx;

  PetscFunctionBegin;
  PetscCall(VecSet(b->lambda, -2));
  PetscCall(BLPLossLinearize(b->blp, b->lambda, b->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Hessian(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossHessianMult(b->blp, b->v, b->y);
}

static PetscErrorCode GammaGradient(void *ctx)
{
  const Bench *const b = ctx;

  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(b->blp, b->lambda, b->w));
  PetscCall(BLPLossCrossMultTranspose(b->blp, b->v, b->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AnotherGradient(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossCrossMultTranspose(b->blp, b->v, b->g);
}

static PetscErrorCode Upper(void *ctx)
{
  const Bench *const b = ctx;
  PetscReal E;

  return BLPUpper(b->blp, b->lambda, b->w, &E, b->y, b->g);
}

static PetscErrorCode Constants(void *ctx)
{
  const Bench *const b = ctx;
  BLPLipschitz c;

  return BLPGetLipschitz(b->blp, PETSC_FALSE, b->lambda, b->w, 1, &c);
}

static PetscErrorCode Gemv(void *ctx)
{
  const Bench *const b = ctx;
  const PetscScalar one = 1, zero = 0;
  const PetscBLASInt stride = 1;

  PetscFunctionBegin;
  PetscCallBLAS("BLASgemv",
                BLASgemv_("T", &b->n, &b->m, &one, b->A, &b->n, b->B, &stride, &zero, b->C, &stride));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Gemm(void *ctx)
{
  const Bench *const b = ctx;
  const PetscScalar one = 1, zero = 0;

  PetscFunctionBegin;
  PetscCallBLAS("BLASgemm",
                BLASgemm_("T", "N", &b->p, &b->m, &b->n, &one, b->B, &b->n, b->A, &b->n, &zero, b->C, &b->p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(Bench *b)
{
  PetscInt m, n, nlambda;

  PetscFunctionBegin;
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &b->blp));
  PetscCall(BLPSetType(b->blp, BLPKRR));
  PetscCall(BLPSetFromOptions(b->blp));
  PetscCall(BLPCreateVecs(b->blp, &b->lambda, &b->w));
  PetscCall(VecDuplicate(b->w, &b->v));
  PetscCall(VecDuplicate(b->w, &b->y));
  PetscCall(VecDuplicate(b->lambda, &b->g));
  PetscCall(TwofoldVecSetRandomNormal(b->w, 1));
  PetscCall(TwofoldVecSetRandomNormal(b->v, 2));
  PetscCall(VecGetLocalSize(b->w, &m));
  PetscCall(BLPGetSizes(b->blp, &nlambda, &n));
  PetscCall(PetscBLASIntCast(m, &b->m));
  PetscCall(PetscBLASIntCast(n, &b->n));
  PetscCall(PetscBLASIntCast(nlambda - 1, &b->p));
  PetscCall(PetscMalloc3((size_t)m * n, &b->A, (size_t)n * b->p, &b->B, (size_t)m * b->p, &b->C));
  for (size_t i = 0; i < (size_t)m * n; i++) b->A[i] = 1 / (PetscReal)(1 + i % 7);
  for (size_t i = 0; i < (size_t)n * b->p; i++) b->B[i] = 1 / (PetscReal)(1 + i % 5);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(Bench *b)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&b->lambda));
  PetscCall(VecDestroy(&b->w));
  PetscCall(VecDestroy(&b->v));
  PetscCall(VecDestroy(&b->y));
  PetscCall(VecDestroy(&b->g));
  PetscCall(PetscFree3(b->A, b->B, b->C));
  PetscCall(BLPDestroy(&b->blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  const char defaults[] = "-blp_data synthetic -blp_synthetic_n 3000 -blp_synthetic_nval 3000";
  Bench b;
  PetscInt runs = 11;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsInsertString(NULL, defaults));
  PetscCall(PetscOptionsInsert(NULL, &argc, &argv, NULL)); /* the user's word counts */
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCall(Create(&b));
  PetscCall(BenchMeasure(SetUp, &b, "kernel set-up", runs));
  PetscCall(BenchMeasure(Hessian, &b, "Hessian-vector product", runs));
  PetscCall(BenchMeasure(Gemv, &b, "bare gemv", runs));
  PetscCall(BenchMeasure(GammaGradient, &b, "gamma gradient", runs));
  PetscCall(BenchMeasure(AnotherGradient, &b, "another at that point", runs));
  PetscCall(BenchMeasure(Gemm, &b, "bare gemm", runs));
  PetscCall(BenchMeasure(Upper, &b, "E, grad1 E, grad2 E", runs));
  PetscCall(BenchMeasure(Constants, &b, "Lipschitz constants", runs));
  PetscCall(Destroy(&b));
  PetscCall(TwofoldFinalize());
  return 0;
}
