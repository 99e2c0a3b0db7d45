#ifndef TWOFOLD_TEST_UPPER_H
#define TWOFOLD_TEST_UPPER_H
/* What the tests of upper-level solvers share: a problem whose f has a minimum in all of the space, solvers
   made from options, checkpoints. */
#include <petscviewerhdf5.h>
#include "problem.h"

enum { UPPER_P = 3 }; /* entries of lambda */

/* n samples of two classes, told by the sum of the features with noise. */
static inline PetscErrorCode UpperDataSet(MPI_Comm comm, PetscInt n, PetscInt64 seed, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, first, *rowptr, *col, nnz = 0;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(comm, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, comm));
  first -= nlocal;
  PetscCall(
      PetscMalloc4(nlocal + 1, &rowptr, nlocal * UPPER_P, &col, nlocal * UPPER_P, &val, nlocal, &label));
  for (PetscInt i = 0; i < nlocal; i++) {
    PetscReal score = 1.5 * TwofoldRandomNormal(seed + 1, first + i);
    rowptr[i] = nnz;
    for (PetscInt j = 0; j < UPPER_P; j++) {
      val[nnz] = TwofoldRandomNormal(seed, (first + i) * UPPER_P + j);
      score += val[nnz];
      col[nnz++] = j;
    }
    label[i] = first + i < 2 ? (PetscReal)(first + i) : score > 0; /* both classes occur */
  }
  rowptr[nlocal] = nnz;
  PetscCall(DataSetCreate(comm, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, label, UPPER_P, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, label));
  PetscFunctionReturn(0);
}

/* softmax on 12 training and 60 validation samples: f_8 is least, 0.5643323, at about (-1.47, -0.16, 0.61).
 */
static inline PetscErrorCode UpperProblem(MPI_Comm comm, BLP *blp)
{
  PetscOptions options;
  DataSet train, val;

  PetscFunctionBegin;
  PetscCall(UpperDataSet(comm, 12, 190, &train));
  PetscCall(UpperDataSet(comm, 60, 195, &val));
  PetscCall(OptionsUse("", &options));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, BLPSOFTMAX));
  PetscCall(BLPSetData(*blp, train, val, NULL));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&options));
  PetscCall(DataSetDestroy(&train));
  PetscCall(DataSetDestroy(&val));
  PetscFunctionReturn(0);
}

/* f_t after few steps, with its exact gradient: cheap, and smooth to all digits. */
static const char *const exact = "-hg_type itd -lls_max_it 8 -lls_fpm_type heavyball -lls_fpm_step 1.5 "
                                 "-lls_fpm_momentum 0.3";
/* The set whose bounds are active at the minimum: two of three. */
static const char *const box = "-lset_type box -lset_lower -1 -lset_upper 0.4";

/* A solver by these options, set up; *uls is to be destroyed also where that raises. */
static inline PetscErrorCode UpperStart(BLP blp, const char a[], const char b[], const char c[], ULS *uls)
{
  PetscOptions options;
  char text[1024];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s %s", a, b, c));
  PetscCall(OptionsUse(text, &options));
  PetscCall(ULSCreate(PetscObjectComm((PetscObject)blp), uls));
  PetscCall(ULSSetBLP(*uls, blp));
  PetscErrorCode code = ULSSetFromOptions(*uls);
  if (!code) code = ULSSetUp(*uls);
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(code);
}

static inline PetscErrorCode UpperSave(ULS uls, Vec lambda, const char path[])
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(ULSSaveState(uls, lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UpperRestore(ULS uls, Vec lambda, const char path[])
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_READ, &viewer));
  PetscCall(ULSRestoreState(uls, lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

#endif
