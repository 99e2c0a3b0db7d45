/* What a problem tells of itself beside values and constants: its matrix, and numbers to watch along a run.
 */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPGetMatrix(BLP blp, PetscInt *first, PetscInt *rows, PetscInt *columns)
{
  PetscFunctionBegin;
  PetscCheck(blp->setup, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE, "BLPSetUp() first");
  *first = blp->matrix[0];
  *rows = blp->tie.T ? 0 : blp->matrix[1];
  *columns = blp->matrix[2];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetDiagnostics(BLP blp, PetscInt *n, const char *const **names)
{
  PetscFunctionBegin;
  *names = blp->diagnostics;
  for (*n = 0; blp->diagnostics && blp->diagnostics[*n];) ++*n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPDiagnose(BLP blp, Vec lambda, Vec w, PetscReal values[])
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  BLPCheckOp(blp, diagnose, "numbers to watch", "BLPDiagnose");
  PetscCall(PetscLogEventBegin(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscUseTypeMethod(blp, diagnose, own, w, values);
  PetscCall(PetscLogEventEnd(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}
