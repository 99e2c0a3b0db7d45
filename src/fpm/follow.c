/* An optimal step that is differentiated: alpha and beta follow lambda through mu(lambda) and L(lambda), and

     d2Phi u = d2Phi u at constant alpha and beta + <grad alpha, u> dPhi/dalpha + <grad beta, u> dPhi/dbeta
     grad alpha = dalpha/dmu grad mu + dalpha/dL grad L,   grad beta likewise

   where dPhi/dalpha and dPhi/dbeta, in w, are the type's (op bystep), and 0 in the rest of the state. At a
   fixed point both are 0. Where mu or L has a kink, the gradient is the one the problem picks. */
#include <twofold/impl/fpmimpl.h>

PetscErrorCode FPMSetDifferentiateStep(FPM fpm, PetscBool differentiate)
{
  PetscFunctionBegin;
  if (fpm->follow.on != differentiate) fpm->setup = PETSC_FALSE;
  fpm->follow.on = differentiate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetDifferentiateStep(FPM fpm, PetscBool *differentiate)
{
  PetscFunctionBegin;
  *differentiate = FPMFollows_Private(fpm);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FPMFollows_Private(FPM fpm)
{
  return (PetscBool)(fpm->follow.on && fpm->optimal.on && !fpm->uses_map);
}

/* ------------------------------------------------------------------ set-up */

PetscErrorCode FPMResetFollow_Private(FPM fpm)
{
  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDestroy(&fpm->follow.gradient[i]));
    PetscCall(VecDestroy(&fpm->follow.by[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetUpFollow_Private(FPM fpm)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  const char *const prefix = ((PetscObject)fpm)->prefix ? ((PetscObject)fpm)->prefix : "";

  PetscFunctionBegin;
  PetscCall(FPMResetFollow_Private(fpm));
  if (!FPMFollows_Private(fpm)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(fpm->optimal.source == FPM_CONSTANTS_FORMULA, comm, PETSC_ERR_SUP,
             "-%sfpm_differentiate_step: constants that are computed have no derivative in lambda: use "
             "-%sfpm_constants formula, or a step that is a constant",
             prefix, prefix);
  PetscCheck(fpm->ops->bystep, comm, PETSC_ERR_SUP,
             "-%sfpm_differentiate_step: the map %s has no derivative in its step", prefix,
             ((PetscObject)fpm)->type_name);
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDuplicate(fpm->glambda, &fpm->follow.gradient[i]));
    PetscCall(VecDuplicate(fpm->work, &fpm->follow.by[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ gradients of alpha and beta */

/* Derivatives of FPMOptimalConstants() in mu and L. */
static void Derivatives(FPMMethod method, PetscReal mu, PetscReal L, PetscReal alpha[2], PetscReal beta[2])
{
  const PetscReal s = PetscSqrtReal(L), r = PetscSqrtReal(mu), sum = s + r, ratio = (s - r) / sum;
  const PetscReal by_mu = mu > 0 ? 1 / (2 * r) : 0, by_L = 1 / (2 * s); /* of the roots */

  beta[0] = beta[1] = 0;
  switch (method) {
  case FPM_METHOD_GD:
    alpha[0] = mu > 0 ? -2 / PetscSqr(L + mu) : 0; /* 1/L has no mu in it */
    alpha[1] = mu > 0 ? alpha[0] : -1 / PetscSqr(L);
    break;
  case FPM_METHOD_HEAVYBALL:
    alpha[0] = -8 / (sum * sum * sum) * by_mu;
    alpha[1] = -8 / (sum * sum * sum) * by_L;
    beta[0] = 2 * ratio * (-2 * s / (sum * sum)) * by_mu;
    beta[1] = 2 * ratio * (2 * r / (sum * sum)) * by_L;
    break;
  default: /* Nesterov */
    alpha[0] = 0;
    alpha[1] = -1 / PetscSqr(L);
    beta[0] = -2 * s / (sum * sum) * by_mu;
    beta[1] = 2 * r / (sum * sum) * by_L;
  }
}

PetscErrorCode FPMPrepareFollow_Private(FPM fpm, Vec lambda, PetscReal mu, PetscReal L)
{
  const Vec *const gradient = fpm->follow.gradient;
  PetscReal alpha[2], beta[2];

  PetscFunctionBegin;
  if (!FPMFollows_Private(fpm)) PetscFunctionReturn(PETSC_SUCCESS);
  if (PetscIsInfOrNanReal(L)) { /* the step is 0 then */
    PetscCall(VecZeroEntries(gradient[0]));
    PetscCall(VecZeroEntries(gradient[1]));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  Derivatives(fpm->method, mu, L, alpha, beta);
  PetscCall(BLPGetSmoothnessGradient(fpm->blp, lambda, gradient[0]));
  PetscCall(VecCopy(gradient[0], gradient[1]));
  PetscCall(VecScale(gradient[0], alpha[1]));
  PetscCall(VecScale(gradient[1], beta[1]));
  if (mu > 0) {
    PetscCall(BLPGetStrongConvexityGradient(fpm->blp, lambda, fpm->glambda));
    PetscCall(VecAXPY(gradient[0], alpha[0], fpm->glambda));
    PetscCall(VecAXPY(gradient[1], beta[0], fpm->glambda));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ products */

PetscErrorCode FPMLinearizeFollow_Private(FPM fpm, Vec lambda, State x)
{
  PetscFunctionBegin;
  if (FPMFollows_Private(fpm))
    PetscUseTypeMethod(fpm, bystep, lambda, x, fpm->follow.by[0], fpm->follow.by[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMFollowJVPAdd_Private(FPM fpm, Vec u, Vec y)
{
  PetscScalar along[2];

  PetscFunctionBegin;
  if (!FPMFollows_Private(fpm)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecMDot(u, 2, fpm->follow.gradient, along));
  PetscCall(VecMAXPY(y, fpm->uses_momentum ? 2 : 1, along, fpm->follow.by));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMFollowVJPAdd_Private(FPM fpm, Vec v, Vec g)
{
  const PetscInt n = fpm->uses_momentum ? 2 : 1;
  PetscScalar along[2];

  PetscFunctionBegin;
  if (!FPMFollows_Private(fpm)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecMDot(v, n, fpm->follow.by, along));
  PetscCall(VecMAXPY(g, n, along, fpm->follow.gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}
