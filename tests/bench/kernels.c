/* Median times of the lower-level kernels of a problem, in ms:

     mpirun -n 2 bench-kernels -blp_data data/20news -blp_split bydate [-bench_runs 21]

   Not a test: nothing is judged. */
#include <petsctime.h>
#include <stdlib.h>
#include <twofold.h>

typedef struct {
  BLP blp;
  Vec lambda, w, v, y, g;
} Bench;

static PetscErrorCode Gradient(Bench *b)
{
  return BLPLossGradient(b->blp, b->lambda, b->w, NULL, b->y);
}

static PetscErrorCode Linearize(Bench *b)
{
  return BLPLossLinearize(b->blp, b->lambda, b->w);
}

static PetscErrorCode Hessian(Bench *b)
{
  return BLPLossHessianMult(b->blp, b->v, b->y);
}

static PetscErrorCode Cross(Bench *b)
{
  return BLPLossCrossMultTranspose(b->blp, b->v, b->g);
}

static PetscErrorCode Upper(Bench *b)
{
  PetscReal E;
  return BLPUpper(b->blp, b->lambda, b->w, &E, b->y, NULL);
}

static int CompareTimes(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Time of the slowest rank, median over the runs. */
static PetscErrorCode Measure(Bench *bench, PetscErrorCode (*kernel)(Bench *), const char name[],
                              PetscInt runs)
{
  PetscLogDouble begin, end;
  double *ms;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(runs, &ms));
  PetscCall((*kernel)(bench));
  for (PetscInt r = 0; r < runs; r++) {
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    PetscCall(PetscTime(&begin));
    PetscCall((*kernel)(bench));
    PetscCall(PetscTime(&end));
    ms[r] = 1e3 * (end - begin);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ms, (PetscMPIInt)runs, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  qsort(ms, (size_t)runs, sizeof(*ms), CompareTimes);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-22s %8.2f ms (%.2f to %.2f)\n", name, ms[runs / 2], ms[0],
                        ms[runs - 1]));
  PetscCall(PetscFree(ms));
  PetscFunctionReturn(0);
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
  PetscCall(Measure(&b, Gradient, "loss gradient", runs));
  PetscCall(Measure(&b, Linearize, "linearisation", runs));
  PetscCall(Measure(&b, Hessian, "Hessian-vector product", runs));
  PetscCall(Measure(&b, Cross, "cross product", runs));
  PetscCall(Measure(&b, Upper, "E and grad1 E", runs));
  PetscCall(VecDestroy(&b.lambda));
  PetscCall(VecDestroy(&b.w));
  PetscCall(VecDestroy(&b.v));
  PetscCall(VecDestroy(&b.y));
  PetscCall(VecDestroy(&b.g));
  PetscCall(BLPDestroy(&b.blp));
  PetscCall(TwofoldFinalize());
  return 0;
}
