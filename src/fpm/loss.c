/* What the maps made from the lower level's loss share: lambda enters them by one gradient step, and so with
   C = d/dlambda grad l at the point of the products, d2Phi = -alpha C in w and 0 in the rest of the state;
   where the step is differentiated, with what follow.c adds. */
#include <twofold/impl/fpmimpl.h>

PetscErrorCode FPMSweepStep_Private(FPM fpm, Vec lambda, const BLPSweep *step, State x, PetscReal *change)
{
  const Vec w = x->v[0], w_prev = x->v[1];
  PetscReal moved[2];

  PetscFunctionBegin;
  PetscCall(BLPLossSweep(fpm->blp, lambda, step, w, w_prev, w_prev, change ? moved : NULL));
  if (change) *change = PetscSqrtReal(moved[0] * moved[0] + moved[1] * moved[1]);
  x->v[0] = w_prev;
  x->v[1] = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

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

/* (a, c) <- ((1 + beta) a - now H a + c + b1, b2 - beta (a - before H a)), beta the momentum: a step of the
   adjoint of a map on (w, w_prev), all but the Hessian's product in one pass. */
PetscErrorCode FPMAdjointStep_Loss(FPM fpm, PetscReal now, PetscReal before, State b, State v)
{
  const PetscReal beta = fpm->momentum;
  const PetscScalar *h, *b1, *b2;
  PetscScalar *a, *c;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(BLPLossHessianMult(fpm->blp, v->v[0], fpm->work));
  PetscCall(VecGetLocalSize(fpm->work, &n));
  PetscCall(VecGetArrayRead(fpm->work, &h));
  PetscCall(VecGetArrayRead(b->v[0], &b1));
  PetscCall(VecGetArrayRead(b->v[1], &b2));
  PetscCall(VecGetArray(v->v[0], &a));
  PetscCall(VecGetArray(v->v[1], &c));
  for (PetscInt i = 0; i < n; i++) {
    const PetscScalar was = a[i];
    a[i] = (1 + beta) * was - now * h[i] + c[i] + b1[i];
    c[i] = b2[i] - beta * (was - before * h[i]);
  }
  PetscCall(VecRestoreArray(v->v[1], &c));
  PetscCall(VecRestoreArray(v->v[0], &a));
  PetscCall(VecRestoreArrayRead(b->v[1], &b2));
  PetscCall(VecRestoreArrayRead(b->v[0], &b1));
  PetscCall(VecRestoreArrayRead(fpm->work, &h));
  PetscFunctionReturn(PETSC_SUCCESS);
}
