/* gd: gradient descent, Phi(w) = w - alpha grad l(w, lambda). The pattern for a new map: a step in place, the
   point of linearisation, four products. Where the problem has sweeps, the first and the ones that are
   repeated are one each. */
#include <twofold/impl/fpmimpl.h>

/* w -> w - alpha g */
static BLPSweep Descent(FPM fpm)
{
  return (BLPSweep){.a = 1, .step = fpm->step, .known = PETSC_TRUE};
}

static PetscErrorCode FPMStep_GD(FPM fpm, Vec lambda, State x, PetscReal *change)
{
  const BLPSweep descent = Descent(fpm);
  PetscReal moved[2];
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(BLPLossSweep(fpm->blp, lambda, &descent, x->v[0], NULL, x->v[0], change ? moved : NULL));
    if (change) *change = moved[0];
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPLossGradient(fpm->blp, lambda, x->v[0], NULL, fpm->work));
  PetscCall(VecAXPY(x->v[0], -fpm->step, fpm->work));
  if (change) {
    PetscCall(VecNorm(fpm->work, NORM_2, change));
    *change *= fpm->step;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMLinearize_GD(FPM fpm, Vec lambda, State x)
{
  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(fpm->blp, lambda, x->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d1Phi = I - alpha H, its own transpose */
static PetscErrorCode FPMJVP_GD(FPM fpm, State v, State y)
{
  const BLPSweep descent = Descent(fpm);
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(BLPLossHessianSweep(fpm->blp, &descent, v->v[0], NULL, y->v[0], NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPLossHessianMult(fpm->blp, v->v[0], y->v[0]));
  PetscCall(VecAYPX(y->v[0], -fpm->step, v->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v <- v - alpha H v + b. A step is ||b - alpha H v|| long: one more tells the residual. */
static PetscErrorCode FPMAdjointSteps_GD(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  const Vec a = v->v[0], plus = b->v[0];
  BLPSweep descent = Descent(fpm);
  PetscReal moved[2];
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  descent.plus = plus;
  for (PetscInt i = 0; i < n; i++) {
    if (sweeps) {
      PetscCall(BLPLossHessianSweep(fpm->blp, &descent, a, NULL, a, NULL));
    } else {
      PetscCall(BLPLossHessianMult(fpm->blp, a, fpm->work));
      PetscCall(VecAXPBYPCZ(a, -fpm->step, 1, 1, fpm->work, plus));
    }
  }
  if (!sweeps || !residual) PetscFunctionReturn(PETSC_SUCCESS);
  descent.known = PETSC_FALSE;
  PetscCall(BLPLossHessianSweep(fpm->blp, &descent, a, NULL, fpm->work, moved));
  *residual = moved[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMReverse_GD(FPM fpm, Vec x, State v)
{
  const BLPSweep descent = Descent(fpm);

  PetscFunctionBegin;
  PetscCall(BLPLossReverseSweep(fpm->blp, &descent, v->v[0], NULL, v->v[0], x, fpm->glambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* I - d1Phi = alpha H: where alpha H is small, v - (v - alpha H v) would lose its digits */
static PetscErrorCode FPMResidualJVP_GD(FPM fpm, State v, State y)
{
  const BLPSweep product = {.step = -fpm->step};
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(BLPLossHessianSweep(fpm->blp, &product, v->v[0], NULL, y->v[0], NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPLossHessianMult(fpm->blp, v->v[0], y->v[0]));
  PetscCall(VecScale(y->v[0], fpm->step));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMByStep_GD(FPM fpm, Vec lambda, State x, Vec by_step, Vec by_momentum)
{
  PetscFunctionBegin;
  (void)by_momentum;
  PetscCall(BLPLossGradient(fpm->blp, lambda, x->v[0], NULL, by_step));
  PetscCall(VecScale(by_step, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreate_GD(FPM fpm)
{
  PetscFunctionBegin;
  fpm->method = FPM_METHOD_GD;
  fpm->nstate = 1;
  fpm->symmetric = PETSC_TRUE;
  fpm->uses_momentum = PETSC_FALSE;
  fpm->ops->step = FPMStep_GD;
  fpm->ops->linearize = FPMLinearize_GD;
  fpm->ops->jvp = FPMJVP_GD;
  fpm->ops->vjp = FPMJVP_GD;
  fpm->ops->adjointsteps = FPMAdjointSteps_GD;
  fpm->ops->reverse = FPMReverse_GD;
  fpm->ops->residualjvp = FPMResidualJVP_GD;
  fpm->ops->residualvjp = FPMResidualJVP_GD;
  fpm->ops->parameterjvp = FPMParameterJVP_Loss;
  fpm->ops->parametervjpadd = FPMParameterVJPAdd_Loss;
  fpm->ops->bystep = FPMByStep_GD;
  PetscFunctionReturn(PETSC_SUCCESS);
}
