/* spectral: some entries of x are a matrix A, row by row, with singular values at most r; the others are
   free. The projection is U min(Sigma, r) V^T of A = U Sigma V^T.

   The first rank gathers A, clips it and gives each entry back to its owner. A is small beside the lower
   level, so that a decomposition over several ranks would not pay. Every rank could make one for itself: that
   takes as long, sends A to all of them, and on ranks with different processors the copies may differ in
   their last digits, while here the ranks get pieces of one matrix. */
#include <petscviewer.h>
#include <twofold/impl/lsetimpl.h>
#include "clip.h"

typedef struct {
  PetscInt offset, rows, columns; /* rows = 0: nobody has said */
  PetscBool suggested;            /* the matrix is not the user's choice */
  Vec A;                          /* all of it on the first rank, nothing on the others */
  VecScatter scatter;             /* from the whole vector */
  LSETClip clip;                  /* on the first rank */
} Spectral;

static PetscErrorCode FreeWork(Spectral *spectral)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&spectral->A));
  PetscCall(VecScatterDestroy(&spectral->scatter));
  PetscCall(LSETClipDestroy_Private(&spectral->clip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetUp_Spectral(LSET lset, Vec layout)
{
  Spectral *spectral = (Spectral *)lset->data;
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";
  PetscMPIInt rank;
  PetscInt n;

  PetscFunctionBegin;
  PetscCheck(
      spectral->rows > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_INCOMP,
      "-%slset_type spectral has no matrix, and the problem names none: give its size by -%slset_rows and "
      "-%slset_columns, or by LSETSpectralSetMatrix()",
      prefix, prefix, prefix);
  PetscCall(LSETCheckRange_Private(lset, layout, spectral->offset,
                                   (PetscReal)spectral->rows * (PetscReal)spectral->columns, "the matrix"));
  PetscCall(FreeWork(spectral));
  n = spectral->rows * spectral->columns;
  PetscCallMPI(MPI_Comm_rank(PetscObjectComm((PetscObject)lset), &rank));
  if (rank == 0) PetscCall(LSETClipCreate_Private(spectral->columns, spectral->rows, &spectral->clip));
  PetscCall(
      LSETGather_Private(layout, spectral->offset, rank == 0 ? n : 0, &spectral->A, &spectral->scatter));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the first rank does; a message where LAPACK failed. */
static PetscErrorCode ClipHere(LSET lset, size_t length, char message[])
{
  Spectral *spectral = (Spectral *)lset->data;
  PetscBLASInt info;
  PetscBool clipped;
  PetscScalar *a;

  PetscFunctionBegin;
  if (!spectral->clip.copy) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetArray(spectral->A, &a));
  PetscCall(LSETClipApply_Private(&spectral->clip, lset->radius, a, &clipped, &info));
  PetscCall(VecRestoreArray(spectral->A, &a));
  if (info)
    PetscCall(PetscSNPrintf(message, length,
                            "LAPACK's gesvd returned %d for a matrix of %" PetscInt_FMT " x %" PetscInt_FMT,
                            (int)info, spectral->rows, spectral->columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETProject_Spectral(LSET lset, Vec x)
{
  const Spectral *const spectral = (Spectral *)lset->data;
  char message[128] = "";

  PetscFunctionBegin;
  PetscCall(VecScatterBegin(spectral->scatter, x, spectral->A, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(spectral->scatter, x, spectral->A, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(ClipHere(lset, sizeof(message), message));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)lset), TwofoldErrorCode(message[0] ? PETSC_ERR_LIB : 0),
                         message));
  PetscCall(VecScatterBegin(spectral->scatter, spectral->A, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(spectral->scatter, spectral->A, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSpectralSetMatrix(LSET lset, PetscInt offset, PetscInt rows, PetscInt columns)
{
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";
  Spectral *spectral;

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETSPECTRAL, "LSETSpectralSetMatrix"));
  PetscCheck(
      offset >= 0 && rows > 0 && columns > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_OUTOFRANGE,
      "-%slset_offset %" PetscInt_FMT ", -%slset_rows %" PetscInt_FMT ", -%slset_columns %" PetscInt_FMT
      ": a matrix has a row and a column at least, from entry 0 on or later",
      prefix, offset, prefix, rows, prefix, columns);
  spectral = (Spectral *)lset->data;
  spectral->offset = offset;
  spectral->rows = rows;
  spectral->columns = columns;
  spectral->suggested = PETSC_FALSE;
  lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSpectralSuggestMatrix_Private(LSET lset, PetscInt offset, PetscInt rows, PetscInt columns)
{
  PetscBool same;
  Spectral *spectral;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lset, LSETSPECTRAL, &same));
  if (!same) PetscFunctionReturn(PETSC_SUCCESS);
  spectral = (Spectral *)lset->data;
  if (spectral->rows && !spectral->suggested) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LSETSpectralSetMatrix(lset, offset, rows, columns));
  spectral->suggested = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetFromOptions_Spectral(LSET lset, PetscOptionItems *PetscOptionsObject)
{
  const Spectral *const spectral = (Spectral *)lset->data;
  PetscInt offset = spectral->offset, rows = spectral->rows, columns = spectral->columns;
  PetscBool set[3];

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-lset_offset", "First entry of the matrix or kernel in lambda",
                            "LSETSpectralSetMatrix", offset, &offset, &set[0]));
  PetscCall(PetscOptionsInt("-lset_rows", "Rows of the matrix, one after another in lambda",
                            "LSETSpectralSetMatrix", rows, &rows, &set[1]));
  PetscCall(PetscOptionsInt("-lset_columns", "Columns of the matrix; as many as rows where nobody says",
                            "LSETSpectralSetMatrix", columns, &columns, &set[2]));
  if (!spectral->columns && !set[2]) columns = rows;
  if (set[0] || set[1] || set[2]) PetscCall(LSETSpectralSetMatrix(lset, offset, rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETView_Spectral(LSET lset, PetscViewer viewer)
{
  const Spectral *const spectral = (Spectral *)lset->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "matrix of %" PetscInt_FMT " x %" PetscInt_FMT " from entry %" PetscInt_FMT
                                   " on, singular values at most the radius\n",
                                   spectral->rows, spectral->columns, spectral->offset));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETDestroy_Spectral(LSET lset)
{
  PetscFunctionBegin;
  PetscCall(FreeWork((Spectral *)lset->data));
  PetscCall(PetscFree(lset->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_Spectral(LSET lset)
{
  Spectral *spectral;

  PetscFunctionBegin;
  PetscCall(PetscNew(&spectral));
  lset->data = spectral;
  lset->uses_radius = PETSC_TRUE;
  lset->ops->setfromoptions = LSETSetFromOptions_Spectral;
  lset->ops->setup = LSETSetUp_Spectral;
  lset->ops->project = LSETProject_Spectral;
  lset->ops->view = LSETView_Spectral;
  lset->ops->destroy = LSETDestroy_Spectral;
  PetscFunctionReturn(PETSC_SUCCESS);
}
