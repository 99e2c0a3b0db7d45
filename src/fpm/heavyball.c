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
    PetscCall(BLPLossHessianSweep(fpm->blp, &sweep, v, u, y, NULL));
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

/* ------------------------------------------------------------------ steps of the adjoint */

/* *sum = b's first vector and its second: the first itself where the second is 0, as an upper level's is. */
static PetscErrorCode AddParts(State b, Vec *sum)
{
  const PetscScalar *a;
  PetscBool zero = PETSC_TRUE;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(b->v[1], &n));
  PetscCall(VecGetArrayRead(b->v[1], &a));
  for (PetscInt i = 0; i < n && zero; i++) zero = (PetscBool)(a[i] == 0);
  PetscCall(VecRestoreArrayRead(b->v[1], &a));
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, &zero, 1, MPIU_BOOL, MPI_LAND, PetscObjectComm((PetscObject)b->v[0])));
  *sum = b->v[0];
  if (zero) {
    PetscCall(PetscObjectReference((PetscObject)*sum));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecDuplicate(b->v[0], sum));
  PetscCall(VecWAXPY(*sum, 1, b->v[0], b->v[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From v = (a, a_before), or with `swap` (a_before, a), to v = (a, b2 - beta a_before) */
static PetscErrorCode TakeSteps(PetscReal beta, State b, PetscBool swap, State v)
{
  const PetscScalar *plus;
  PetscScalar *first, *second;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(v->v[0], &n));
  PetscCall(VecGetArray(v->v[0], &first));
  PetscCall(VecGetArray(v->v[1], &second));
  PetscCall(VecGetArrayRead(b->v[1], &plus));
  for (PetscInt i = 0; i < n; i++) {
    const PetscScalar before = swap ? first[i] : second[i];
    if (swap) first[i] = second[i];
    second[i] = plus[i] - beta * before;
  }
  PetscCall(VecRestoreArrayRead(b->v[1], &plus));
  PetscCall(VecRestoreArray(v->v[1], &second));
  PetscCall(VecRestoreArray(v->v[0], &first));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From (a, c) a step makes (a', c') = ((1 + beta) a - alpha H a + c + b1, b2 - beta a). Behind the first, c
   is b2 less beta times the a before: with that a itself in c's place,

     a' = (1 + beta) a - beta a_before - alpha H a + b1 + b2,

   one sweep a step, like those of the solver. One more tells the residual: it is (a' - a, -beta (a -
   a_before)). */
static PetscErrorCode SweepAdjoint(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  const PetscReal beta = fpm->momentum;
  BLPSweep step = {.a = 1 + beta, .b = 1, .step = fpm->step, .known = PETSC_TRUE, .plus = b->v[0]};
  Vec now = v->v[0], before = v->v[1], sum;
  PetscReal moved[2];

  PetscFunctionBegin;
  PetscCall(AddParts(b, &sum));
  for (PetscInt i = 0; i < n; i++) {
    const Vec a = now;
    PetscCall(BLPLossHessianSweep(fpm->blp, &step, a, before, before, NULL));
    now = before;
    before = a;
    step.b = -beta;
    step.plus = sum;
  }
  if (residual) {
    step.known = PETSC_FALSE;
    PetscCall(BLPLossHessianSweep(fpm->blp, &step, now, before, fpm->work, moved));
    *residual = PetscSqrtReal(moved[0] * moved[0] + beta * beta * moved[1] * moved[1]);
  }
  PetscCall(TakeSteps(beta, b, (PetscBool)(now != v->v[0]), v));
  PetscCall(VecDestroy(&sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMAdjointSteps_HeavyBall(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(SweepAdjoint(fpm, b, n, v, residual));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (PetscInt i = 0; i < n; i++) PetscCall(FPMAdjointStep_Loss(fpm, fpm->step, 0, b, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the rest */

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
  fpm->ops->adjointsteps = FPMAdjointSteps_HeavyBall;
  fpm->ops->reverse = FPMReverse_HeavyBall;
  fpm->ops->residualjvp = FPMResidualJVP_HeavyBall;
  fpm->ops->residualvjp = FPMResidualVJP_HeavyBall;
  fpm->ops->parameterjvp = FPMParameterJVP_Loss;
  fpm->ops->parametervjpadd = FPMParameterVJPAdd_Loss;
  fpm->ops->bystep = FPMByStep_HeavyBall;
  PetscFunctionReturn(PETSC_SUCCESS);
}
