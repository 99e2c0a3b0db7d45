/* heavyball: Polyak's method, Phi(w, w') = (w - alpha grad l(w) + beta (w - w'), w) on the state (w, w_prev).
   With H the Hessian of the loss at w and C = d/dlambda grad l,

     d1Phi = [ (1 + beta) I - alpha H   -beta I ]     d2Phi = [ -alpha C ]
             [ I                         0      ]             [  0       ]   */
#include <twofold/impl/fpmimpl.h>

/* The old w becomes w_prev by an exchange of vectors, not a copy. */
static PetscErrorCode FPMStep_HeavyBall(FPM fpm, Vec lambda, State x, PetscReal *change)
{
  const PetscReal beta = fpm->momentum;
  const BLPSweep step = {.a = 1 + beta, .b = -beta, .step = fpm->step, .known = PETSC_TRUE};
  const Vec w = x->v[0], w_prev = x->v[1];
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(FPMSweepStep_Private(fpm, lambda, &step, x, change));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPLossGradient(fpm->blp, lambda, w, NULL, fpm->work));
  if (!change) {
    PetscCall(VecAXPBYPCZ(w_prev, 1 + beta, -fpm->step, -beta, w, fpm->work));
  } else { /* ||(w_new - w, w - w_prev)|| */
    PetscReal moved, before;
    PetscCall(VecAYPX(w_prev, -1, w)); /* w - w_prev */
    PetscCall(VecNorm(w_prev, NORM_2, &before));
    PetscCall(VecAXPBY(w_prev, -fpm->step, beta, fpm->work)); /* w_new - w */
    PetscCall(VecNorm(w_prev, NORM_2, &moved));
    PetscCall(VecAXPY(w_prev, 1, w));
    *change = PetscSqrtReal(moved * moved + before * before);
  }
  x->v[0] = w_prev;
  x->v[1] = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMLinearize_HeavyBall(FPM fpm, Vec lambda, State x)
{
  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(fpm->blp, lambda, x->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = a v + b u - step H v */
static PetscErrorCode HessianStep(FPM fpm, PetscReal a, PetscReal b, PetscReal step, PetscBool known, Vec v,
                                  Vec u, Vec y)
{
  const BLPSweep sweep = {.a = a, .b = b, .step = step, .known = known};
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(BLPLossHessianSweep(fpm->blp, &sweep, v, u, y));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPLossHessianMult(fpm->blp, v, y));
  PetscCall(VecAXPBYPCZ(y, a, b, -step, v, u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMJVP_HeavyBall(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(HessianStep(fpm, 1 + beta, -beta, fpm->step, PETSC_TRUE, v->v[0], v->v[1], y->v[0]));
  PetscCall(VecCopy(v->v[0], y->v[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMVJP_HeavyBall(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(HessianStep(fpm, 1 + beta, 1, fpm->step, PETSC_TRUE, v->v[0], v->v[1], y->v[0]));
  PetscCall(VecAXPBY(y->v[1], -beta, 0, v->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From (a, b) the product makes (a', -beta a) with a' = (1 + beta) a + b - alpha H a: behind the first, b is
   -beta times the a before. So v keeps that a itself, and a step is one sweep like those of the solver. */
static PetscErrorCode FPMReverse_HeavyBall(FPM fpm, Vec x, State v)
{
  const PetscReal beta = fpm->momentum;
  const BLPSweep sweep = {.a = 1 + beta, .b = -beta, .step = fpm->step, .known = PETSC_TRUE};
  const Vec a = v->v[0], before = v->v[1];

  PetscFunctionBegin;
  PetscCall(BLPLossReverseSweep(fpm->blp, &sweep, a, before, before, x, fpm->glambda));
  v->v[0] = before;
  v->v[1] = a;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (I - d1Phi)(a, b) = (alpha H a - beta (a - b), b - a) */
static PetscErrorCode FPMResidualJVP_HeavyBall(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(y->v[1], -1, v->v[0], v->v[1]));
  PetscCall(HessianStep(fpm, 0, beta, -fpm->step, PETSC_FALSE, v->v[0], y->v[1], y->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (I - d1Phi^T)(a, b) = (alpha H a - (beta a + b), beta a + b) */
static PetscErrorCode FPMResidualVJP_HeavyBall(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(VecWAXPY(y->v[1], fpm->momentum, v->v[0], v->v[1]));
  PetscCall(HessianStep(fpm, 0, -1, -fpm->step, PETSC_FALSE, v->v[0], y->v[1], y->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMByStep_HeavyBall(FPM fpm, Vec lambda, State x, Vec by_step, Vec by_momentum)
{
  PetscFunctionBegin;
  PetscCall(BLPLossGradient(fpm->blp, lambda, x->v[0], NULL, by_step));
  PetscCall(VecScale(by_step, -1));
  PetscCall(VecWAXPY(by_momentum, -1, x->v[1], x->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreate_HeavyBall(FPM fpm)
{
  PetscFunctionBegin;
  fpm->method = FPM_METHOD_HEAVYBALL;
  fpm->nstate = 2;
  fpm->symmetric = PETSC_FALSE;
  fpm->uses_momentum = PETSC_TRUE;
  fpm->ops->step = FPMStep_HeavyBall;
  fpm->ops->linearize = FPMLinearize_HeavyBall;
  fpm->ops->jvp = FPMJVP_HeavyBall;
  fpm->ops->vjp = FPMVJP_HeavyBall;
  fpm->ops->reverse = FPMReverse_HeavyBall;
  fpm->ops->residualjvp = FPMResidualJVP_HeavyBall;
  fpm->ops->residualvjp = FPMResidualVJP_HeavyBall;
  fpm->ops->parameterjvp = FPMParameterJVP_Loss;
  fpm->ops->parametervjpadd = FPMParameterVJPAdd_Loss;
  fpm->ops->bystep = FPMByStep_HeavyBall;
  PetscFunctionReturn(PETSC_SUCCESS);
}
