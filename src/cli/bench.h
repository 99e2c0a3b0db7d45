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
  PetscInt steps, lower_steps; /* of conjugate gradients, of the lower level's maps at a time */
} BenchSide;

/* How many steps run() makes. */
typedef enum { BENCH_ONE, BENCH_LOWER_STEPS, BENCH_CG_STEPS } BenchMany;

/* A step; its bytes are pc p c + nnz nonzeros, or two thirds of that for a place of a dense block, each array
   of size p c counted once for a reading and once for a writing, and its products with X or X^T, one behind
   the other, are what ranks send numbers for; docs/scaling.md has the sums. */
typedef struct {
  const char *name, *key;
  PetscErrorCode (*prepare)(BenchSide *); /* not timed; NULL: nothing */
  PetscErrorCode (*run)(BenchSide *);
  PetscReal pc, nnz;
  int products;
  PetscBool upper; /* nnz and products are the validation samples' */
  BenchMany many;
} BenchKernel;

extern const BenchKernel BenchKernels[];
enum { BENCH_KERNELS = 9 };

/* side->steps and side->lower_steps are set before. */
PetscErrorCode BenchSideCreate(BLP blp, Vec lambda, BenchSide *side);
PetscErrorCode BenchSideDestroy(BenchSide *side);

typedef struct {
  PetscReal low, median, high;
} BenchSpread;
/* Sorts x. bench.c */
BenchSpread BenchSummarise(PetscInt n, PetscReal x[]);
/* Times between barriers: until the last rank is ready. */
PetscErrorCode BenchBegin(PetscLogDouble *begin);
PetscErrorCode BenchEnd(PetscLogDouble begin, PetscReal *ms);

/* bench_messages.c: what the collectives that products are made of cost, seconds by number of messages and
   bytes that a rank sends:

     time = latency messages + bytes / rate

   messages: size - 1 in a ring (gather), log2 size (reduce-scatter, reduction), rounded up. */
enum { BENCH_WHOLES = 5 };
typedef struct {
  const char *name, *key;
  int messages, nwholes;
  PetscReal whole[BENCH_WHOLES], us[BENCH_WHOLES]; /* bytes of all pieces together; the median time */
  PetscReal latency_us, gb_s; /* the best fit; gb_s infinite where sizes tell nothing of it */
} BenchCollective;
enum { BENCH_COLLECTIVES = 3 };
PetscErrorCode BenchMeasureCollectives(PetscInt runs, BenchCollective of[]);
PetscErrorCode BenchPrintCollectives(const BenchCollective of[]);
void BenchWriteCollectives(Json *json, const BenchCollective of[]);

#endif
