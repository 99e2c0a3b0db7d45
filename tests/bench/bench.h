#ifndef TWOFOLD_BENCH_H
#define TWOFOLD_BENCH_H
/* Times of kernels, for the programs beside this file: nothing is judged. With -bench_cpu they are the
   processor's, for machines with something else to do. */
#include <petsctime.h>
#include <stdlib.h>
#include <time.h>
#include <twofold.h>

static inline int BenchCompareTimes(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* In seconds. */
static inline PetscErrorCode BenchTime(PetscBool cpu, PetscLogDouble *now)
{
  PetscFunctionBegin;
  PetscCall(PetscTime(now));
  if (cpu) *now = (PetscLogDouble)clock() / CLOCKS_PER_SEC;
  PetscFunctionReturn(0);
}

/* Time of the slowest rank, median over the runs, after one that is not counted; the least in *least. */
static inline PetscErrorCode BenchMeasureLeast(PetscErrorCode (*kernel)(void *), void *ctx, const char name[],
                                               PetscInt runs, double *least)
{
  PetscBool cpu = PETSC_FALSE;
  PetscLogDouble begin, end;
  double *ms;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-bench_cpu", &cpu, NULL));
  PetscCall(PetscMalloc1(runs, &ms));
  PetscCall((*kernel)(ctx));
  for (PetscInt r = 0; r < runs; r++) {
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    PetscCall(BenchTime(cpu, &begin));
    PetscCall((*kernel)(ctx));
    PetscCall(BenchTime(cpu, &end));
    ms[r] = 1e3 * (end - begin);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ms, (PetscMPIInt)runs, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  qsort(ms, (size_t)runs, sizeof(*ms), BenchCompareTimes);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-22s %8.2f ms (%.2f to %.2f)\n", name, ms[runs / 2], ms[0],
                        ms[runs - 1]));
  *least = ms[0];
  PetscCall(PetscFree(ms));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode BenchMeasure(PetscErrorCode (*kernel)(void *), void *ctx, const char name[],
                                          PetscInt runs)
{
  double least;

  return BenchMeasureLeast(kernel, ctx, name, runs, &least);
}

#endif
