/* The derivative of the transposed products in x along a direction, by central differences: second
   derivatives of Phi, third ones of a loss. */
#include <twofold/impl/fpmimpl.h>

/* y = (I - d1Phi^T) v, in which the v of d1Phi^T v cancels before it is rounded, and g = d2Phi^T v, at x. */
static PetscErrorCode Products(FPM fpm, Vec lambda, State x, State v, State y, Vec g)
{
  PetscFunctionBegin;
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscCall(FPMResidualVJP(fpm, v, y));
  PetscCall(VecZeroEntries(g));
  PetscCall(FPMParameterVJPAdd(fpm, v, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMVJPDerivative(FPM fpm, Vec lambda, State x, State v, State dx, State y, Vec g)
{
  PetscReal norm, length;
  State at, below;
  Vec gbelow;

  PetscFunctionBegin;
  PetscCall(StateNorm(x, &norm));
  PetscCall(StateNorm(dx, &length));
  const PetscReal h = TwofoldCentralStep(norm, length);
  PetscCall(FPMCreateState(fpm, &at));
  PetscCall(FPMCreateState(fpm, &below));
  PetscCall(VecDuplicate(g, &gbelow));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecWAXPY(at->v[k], h, dx->v[k], x->v[k]));
  PetscCall(Products(fpm, lambda, at, v, y, g));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecWAXPY(at->v[k], -h, dx->v[k], x->v[k]));
  PetscCall(Products(fpm, lambda, at, v, below, gbelow));
  for (PetscInt k = 0; k < y->n; k++) PetscCall(VecAXPBY(y->v[k], 1 / (2 * h), -1 / (2 * h), below->v[k]));
  PetscCall(VecAXPBY(g, -1 / (2 * h), 1 / (2 * h), gbelow));
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscCall(StateDestroy(&at));
  PetscCall(StateDestroy(&below));
  PetscCall(VecDestroy(&gbelow));
  PetscFunctionReturn(PETSC_SUCCESS);
}
