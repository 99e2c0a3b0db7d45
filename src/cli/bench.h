#ifndef TWOFOLD_CLI_BENCH_H
#define TWOFOLD_CLI_BENCH_H
/* What twofold bench times: the steps that solvers are made of, for one problem with one kind of kernels. */
#include "cli.h"

/* One problem and what its steps work on. */
typedef struct {
  BLP blp;
  Vec lambda, w, v, y, g;
  FPM fpm[3]; /* gd, heavyball, nesterov */
  State x[3], a[3], b[3];
  BLPSweepCG cg;
  Vec solution, residual, direction;
  Mat H;
  KSP ksp;
  PetscInt steps; /* of conjugate gradients at a time */
} BenchSide;

/* A step; its bytes are pc p c + nnz nonzeros, each array of size p c counted once for a reading and once for
   a writing; docs/scaling.md has the sums. */
typedef struct {
  const char *name, *key;
  PetscErrorCode (*prepare)(BenchSide *); /* not timed; NULL: nothing */
  PetscErrorCode (*run)(BenchSide *);
  PetscReal pc, nnz;
  PetscBool upper; /* nnz are the validation samples' */
  PetscBool many;  /* run() makes side->steps of them */
} BenchKernel;

extern const BenchKernel BenchKernels[];
enum { BENCH_KERNELS = 9 };

PetscErrorCode BenchSideCreate(BLP blp, Vec lambda, PetscInt steps, BenchSide *side);
PetscErrorCode BenchSideDestroy(BenchSide *side);

#endif
