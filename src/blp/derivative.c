/* The derivative of E's gradients in w along a direction, by central differences. */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPUpperDerivative(BLP blp, Vec lambda, Vec w, Vec dw, Vec y1, Vec y2)
{
  PetscReal norm, length, E;
  Vec at, g1 = NULL, g2 = NULL;

  PetscFunctionBegin;
  PetscCall(VecNorm(w, NORM_2, &norm));
  PetscCall(VecNorm(dw, NORM_2, &length));
  const PetscReal h = TwofoldCentralStep(norm, length);
  PetscCall(VecDuplicate(w, &at));
  if (y1) PetscCall(VecDuplicate(y1, &g1));
  if (y2) PetscCall(VecDuplicate(y2, &g2));
  PetscCall(VecWAXPY(at, h, dw, w));
  PetscCall(BLPUpper(blp, lambda, at, &E, y1, y2));
  PetscCall(VecWAXPY(at, -h, dw, w));
  PetscCall(BLPUpper(blp, lambda, at, &E, g1, g2));
  if (y1) PetscCall(VecAXPBY(y1, -1 / (2 * h), 1 / (2 * h), g1));
  if (y2) PetscCall(VecAXPBY(y2, -1 / (2 * h), 1 / (2 * h), g2));
  PetscCall(VecDestroy(&at));
  PetscCall(VecDestroy(&g1));
  PetscCall(VecDestroy(&g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}
