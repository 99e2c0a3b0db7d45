#ifndef TWOFOLD_TEST_PROBLEM_H
#define TWOFOLD_TEST_PROBLEM_H
/* A synthetic problem whose every number is a function of (seed, global index): the same on any number of
   ranks, and computable entry by entry. Helpers that make objects from options and gather vectors. */
#include "test.h"
#include "userproblem.h"

typedef struct {
  PetscInt n[3]; /* training, validation and test samples */
  PetscInt p, c; /* features, classes */
  PetscReal density;
  PetscBool bias;
  PetscInt64 seed;
  PetscBool map; /* of a problem by callbacks: the lower level is a map */
  BLPTie tie;
} Synthetic;

/* Entry (i, j) of a set's X, most of them 0 where the density is small. */
static inline PetscScalar SyntheticValue(const Synthetic *s, int set, PetscInt i, PetscInt j)
{
  const PetscInt64 seed = 16 * s->seed + set, index = (PetscInt64)i * s->p + j;
  const PetscReal uniform = (PetscReal)(TwofoldRandomBits(seed + 4, index) & 0xfffff) / (PetscReal)0x100000;

  return uniform < s->density ? TwofoldRandomNormal(seed, index) : 0;
}

/* Class of sample i; the first c samples have one each. */
static inline PetscInt SyntheticLabel(const Synthetic *s, int set, PetscInt i)
{
  if (i < s->c) return i;
  return (PetscInt)((TwofoldRandomBits(16 * s->seed + set + 8, i) & 0xffff) % s->c);
}

static inline PetscErrorCode SyntheticDataSet(MPI_Comm comm, const Synthetic *s, int set, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, n = s->n[set], first, nnz = 0, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(comm, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, comm));
  first -= nlocal;
  PetscCall(PetscMalloc4(nlocal + 1, &rowptr, nlocal * s->p, &col, nlocal * s->p, &val, nlocal, &label));
  for (PetscInt i = 0; i < nlocal; i++) {
    rowptr[i] = nnz;
    label[i] = (PetscReal)SyntheticLabel(s, set, first + i);
    for (PetscInt j = 0; j < s->p; j++) {
      val[nnz] = SyntheticValue(s, set, first + i, j);
      col[nnz] = j;
      if (val[nnz] != 0) nnz++;
    }
  }
  rowptr[nlocal] = nnz;
  PetscCall(DataSetCreate(comm, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, label, s->p, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, label));
  PetscFunctionReturn(0);
}

/* Makes `text` the options of all objects configured until OptionsDrop(), and no others. */
static inline PetscErrorCode OptionsUse(const char text[], PetscOptions *options)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsCreate(options));
  PetscCall(PetscOptionsInsertString(*options, text));
  PetscCall(PetscOptionsPush(*options));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode OptionsDrop(PetscOptions *options)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsPop());
  PetscCall(PetscOptionsDestroy(options));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode SyntheticUserProblem(MPI_Comm comm, const Synthetic *s, BLP *blp)
{
  UserProblem *user = NULL;

  PetscFunctionBegin;
  PetscCall(UserProblemCreate(comm, s->n[0], s->n[1], s->p, s->p + s->c, s->seed, &user));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, BLPUSER));
  PetscCall(BLPSetTie(*blp, s->tie));
  PetscCall(UserProblemSet(*blp, user, s->map));
  PetscCall(BLPSetUp(*blp));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode SyntheticProblem(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp)
{
  PetscOptions options;
  DataSet set[3] = {NULL, NULL, NULL};

  PetscFunctionBegin;
  if (!strcmp(type, BLPUSER)) {
    PetscCall(SyntheticUserProblem(comm, s, blp));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < 3; k++)
    if (s->n[k]) PetscCall(SyntheticDataSet(comm, s, k, &set[k]));
  PetscCall(OptionsUse(s->bias ? "-blp_bias" : "", &options));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, type));
  PetscCall(BLPSetTie(*blp, s->tie));
  PetscCall(BLPSetData(*blp, set[0], set[1], set[2]));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&options));
  for (int k = 0; k < 3; k++) PetscCall(DataSetDestroy(&set[k]));
  PetscFunctionReturn(0);
}

/* A hypergradient of blp by these options, set up; `prefix` may be NULL. */
static inline PetscErrorCode HGMake(BLP blp, const char prefix[], const char text[], HG *hg)
{
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), hg));
  PetscCall(HGSetOptionsPrefix(*hg, prefix));
  PetscCall(HGSetBLP(*hg, blp));
  PetscCall(HGSetFromOptions(*hg));
  PetscCall(HGSetUp(*hg));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* All of x on every rank of its communicator. */
static inline PetscErrorCode VecGather(Vec x, PetscScalar all[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  const PetscScalar *a;
  const PetscInt *range;
  PetscMPIInt size, rank, *counts, *displ;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(VecGetOwnershipRanges(x, &range));
  PetscCall(PetscMalloc2(size, &counts, size, &displ));
  for (PetscMPIInt r = 0; r < size; r++) {
    counts[r] = (PetscMPIInt)(range[r + 1] - range[r]);
    displ[r] = (PetscMPIInt)range[r];
  }
  PetscCall(VecGetArrayRead(x, &a));
  PetscCallMPI(MPI_Allgatherv(a, counts[rank], MPIU_SCALAR, all, counts, displ, MPIU_SCALAR, comm));
  PetscCall(VecRestoreArrayRead(x, &a));
  PetscCall(PetscFree2(counts, displ));
  PetscFunctionReturn(0);
}

/* x <- this rank's piece of `all`. */
static inline PetscErrorCode VecFill(Vec x, const PetscScalar all[])
{
  PetscInt first, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &first, NULL));
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayWrite(x, &a));
  PetscCall(PetscArraycpy(a, all + first, n));
  PetscCall(VecRestoreArrayWrite(x, &a));
  PetscFunctionReturn(0);
}

/* All of a state on every rank, vector after vector. */
static inline PetscErrorCode StateGather(State x, PetscScalar all[])
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x->v[0], &n));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecGather(x->v[k], all + k * n));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode StateFill(State x, const PetscScalar all[])
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x->v[0], &n));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecFill(x->v[k], all + k * n));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode StateSetRandomNormal(State x, PetscInt64 seed)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(TwofoldVecSetRandomNormal(x->v[k], seed + k));
  PetscFunctionReturn(0);
}

/* ||x - expected|| / ||expected|| of arrays; ||x - expected|| where expected is 0. */
static inline PetscReal ArrayDifference(PetscInt n, const PetscScalar x[], const PetscScalar expected[])
{
  PetscReal difference = 0, scale = 0;

  for (PetscInt i = 0; i < n; i++) {
    difference += (x[i] - expected[i]) * (x[i] - expected[i]);
    scale += expected[i] * expected[i];
  }
  return PetscSqrtReal(scale > 0 ? difference / scale : difference);
}

/* All of x against an array that every rank has. */
static inline PetscErrorCode VecDifference(Vec x, const PetscScalar expected[], PetscReal *difference)
{
  PetscScalar *all;
  PetscInt n;

  PetscFunctionBegin;
  *difference = 0;
  PetscCall(VecGetSize(x, &n));
  PetscCall(PetscMalloc1(n, &all));
  PetscCall(VecGather(x, all));
  *difference = ArrayDifference(n, all, expected);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Slope of log r against log h between steps h and h / 2: the order of a Taylor remainder. */
static inline PetscReal TaylorOrder(PetscReal r, PetscReal r_half)
{
  return PetscLog2Real(r / r_half);
}

#endif
