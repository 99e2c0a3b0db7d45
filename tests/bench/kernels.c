/* Median times of the lower-level kernels of a problem, in ms:

     mpirun -n 2 bench-kernels -blp_data data/20news -blp_split bydate [-bench_runs 21]

   Not a test: nothing is judged. */
#include "bench.h"

typedef struct {
  BLP blp;
  Vec lambda, w, v, y, g;
} Bench;

static PetscErrorCode Gradient(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossGradient(b->blp, b->lambda, b->w, NULL, b->y);
}

static PetscErrorCode Linearize(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossLinearize(b->blp, b->lambda, b->w);
}

static PetscErrorCode Hessian(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossHessianMult(b->blp, b->v, b->y);
}

static PetscErrorCode Cross(void *ctx)
{
  const Bench *const b = ctx;

  return BLPLossCrossMultTranspose(b->blp, b->v, b->g);
}

static PetscErrorCode Upper(void *ctx)
{
  const Bench *const b = ctx;
  PetscReal E;

  return BLPUpper(b->blp, b->lambda, b->w, &E, b->y, NULL);
}

int main(int argc, char **argv)
{
  Bench b;
  PetscInt runs = 21;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCheck(runs > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_runs %" PetscInt_FMT ": at least one", runs);
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &b.blp));
  PetscCall(BLPSetFromOptions(b.blp));
  PetscCall(BLPCreateVecs(b.blp, &b.lambda, &b.w));
  PetscCall(VecDuplicate(b.w, &b.v));
  PetscCall(VecDuplicate(b.w, &b.y));
  PetscCall(VecDuplicate(b.lambda, &b.g));
  PetscCall(TwofoldVecSetRandomNormal(b.w, 1));
  PetscCall(TwofoldVecSetRandomNormal(b.v, 2));
  PetscCall(VecZeroEntries(b.lambda));
  PetscCall(BenchMeasure(Gradient, &b, "loss gradient", runs));
  PetscCall(BenchMeasure(Linearize, &b, "linearisation", runs));
  PetscCall(BenchMeasure(Hessian, &b, "Hessian-vector product", runs));
  PetscCall(BenchMeasure(Cross, &b, "cross product", runs));
  PetscCall(BenchMeasure(Upper, &b, "E and grad1 E", runs));
  PetscCall(VecDestroy(&b.lambda));
  PetscCall(VecDestroy(&b.w));
  PetscCall(VecDestroy(&b.v));
  PetscCall(VecDestroy(&b.y));
  PetscCall(VecDestroy(&b.g));
  PetscCall(BLPDestroy(&b.blp));
  PetscCall(TwofoldFinalize());
  return 0;
}
