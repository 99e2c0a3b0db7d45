#ifndef TWOFOLD_TEST_SYNTHETIC_H
#define TWOFOLD_TEST_SYNTHETIC_H
/* Synthetic data whose every number is a function of (seed, global index): the same on any number of ranks,
   and computable entry by entry; and a problem made from them. */
#include "test.h"

typedef struct {
  PetscInt n[3]; /* training, validation and test samples */
  PetscInt p, c; /* features, classes */
  PetscReal density;
  PetscReal scale; /* factor of X; 0 for none */
  PetscBool bias;
  PetscInt64 seed;
  PetscBool map; /* of a problem by callbacks: the lower level is a map */
  BLPTie tie;
  PetscBool real;      /* targets are real numbers, not classes */
  const char *options; /* further ones of the problem; may be NULL */
} Synthetic;

/* Entry (i, j) of a set's X, most of them 0 where the density is small. */
static inline PetscScalar SyntheticValue(const Synthetic *s, int set, PetscInt i, PetscInt j)
{
  const PetscInt64 seed = 16 * s->seed + set, index = (PetscInt64)i * s->p + j;
  const PetscReal uniform = (PetscReal)(TwofoldRandomBits(seed + 4, index) & 0xfffff) / (PetscReal)0x100000;

  if (uniform >= s->density) return 0;
  return (s->scale > 0 ? s->scale : 1) * TwofoldRandomNormal(seed, index);
}

/* Class of sample i; the first c samples have one each. */
static inline PetscInt SyntheticLabel(const Synthetic *s, int set, PetscInt i)
{
  if (i < s->c) return i;
  return (PetscInt)((TwofoldRandomBits(16 * s->seed + set + 8, i) & 0xffff) % s->c);
}

/* Target of sample i where targets are real numbers. */
static inline PetscReal SyntheticTarget(const Synthetic *s, int set, PetscInt i)
{
  return TwofoldRandomNormal(16 * s->seed + set + 12, i);
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
    label[i] = s->real ? SyntheticTarget(s, set, first + i) : (PetscReal)SyntheticLabel(s, set, first + i);
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

/* A problem of this type on the data sets of s that are not empty. */
static inline PetscErrorCode SyntheticFromData(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp)
{
  PetscOptions options;
  DataSet set[3] = {NULL, NULL, NULL};
  char text[512];

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++)
    if (s->n[k]) PetscCall(SyntheticDataSet(comm, s, k, &set[k]));
  PetscCall(
      PetscSNPrintf(text, sizeof(text), "%s %s", s->bias ? "-blp_bias" : "", s->options ? s->options : ""));
  PetscCall(OptionsUse(text, &options));
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

#endif
