/* Rows of sparse matrices, as other programs wrote them. */
#include "rows.h"

PetscErrorCode DataSetTidyRow_Private(const char path[], PetscInt64 p, PetscInt row, PetscInt n,
                                      PetscInt col[], PetscScalar val[], TwofoldFault *fault)
{
  PetscBool sorted = PETSC_TRUE;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < n; k++) {
    if (col[k] < 0 || col[k] >= p)
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: row %" PetscInt_FMT " has an entry in column %" PetscInt_FMT " of %" PetscInt64_FMT
                      ": the file is damaged",
                      path, row, col[k], p);
    if (PetscIsInfOrNanScalar(val[k]))
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: the entry in row %" PetscInt_FMT ", column %" PetscInt_FMT
                      " (from 0) is not a finite number",
                      path, row, col[k]);
    if (k > 0 && col[k] <= col[k - 1]) sorted = PETSC_FALSE;
  }
  if (sorted || fault->code) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSortIntWithScalarArray(n, col, val));
  for (PetscInt k = 1; k < n; k++)
    if (col[k] == col[k - 1])
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: row %" PetscInt_FMT " has two entries in column %" PetscInt_FMT " (from 0)", path,
                      row, col[k]);
  PetscFunctionReturn(PETSC_SUCCESS);
}
