/* What the maps made from the lower level's loss share: lambda enters them by one gradient step, and so with
   C = d/dlambda grad l at the point of the products, d2Phi = -alpha C in w and 0 in the rest of the state;
   where the step is differentiated, with what follow.c adds. */
#include <twofold/impl/fpmimpl.h>

PetscErrorCode FPMParameterJVP_Loss(FPM fpm, Vec u, State y)
{
  PetscFunctionBegin;
  PetscCall(BLPLossCrossMult(fpm->blp, u, y->v[0]));
  PetscCall(VecScale(y->v[0], -fpm->step));
  PetscCall(FPMFollowJVPAdd_Private(fpm, u, y->v[0]));
  for (PetscInt k = 1; k < y->n; k++) PetscCall(VecZeroEntries(y->v[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMParameterVJPAdd_Loss(FPM fpm, State v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(BLPLossCrossMultTranspose(fpm->blp, v->v[0], fpm->glambda));
  PetscCall(VecAXPY(g, -fpm->step, fpm->glambda));
  PetscCall(FPMFollowVJPAdd_Private(fpm, v->v[0], g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
