/* nesterov: Nesterov's accelerated gradient method with constant momentum, on the state (w, w_prev),

     Phi(w, w') = (y - alpha grad l(y), w),   y = w + beta (w - w').

   With H the Hessian of the loss at y, A = I - alpha H and C = d/dlambda grad l at y,

     d1Phi = [ (1 + beta) A   -beta A ]     d2Phi = [ -alpha C ]
             [ I               0      ]             [  0       ]

   The loss is linearised at y, which the map keeps itself: FPMLinearize() alone writes it. */
#include <twofold/impl/fpmimpl.h>

typedef struct {
  Vec y;     /* point of linearisation */
  Vec ahead; /* y of a step whose change is asked for; made by the first of these */
} Nesterov;

/* The old w becomes w_prev by an exchange of vectors, not a copy. */
static PetscErrorCode FPMStep_Nesterov(FPM fpm, Vec lambda, State x, PetscReal *change)
{
  Nesterov *nesterov = (Nesterov *)fpm->data;
  const PetscReal beta = fpm->momentum;
  const BLPSweep step = {
      .a = 1 + beta, .b = -beta, .step = fpm->step, .ahead = PETSC_TRUE, .known = PETSC_TRUE};
  const Vec w = x->v[0], w_prev = x->v[1];
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(fpm->blp, &sweeps));
  if (sweeps) {
    PetscCall(FPMSweepStep_Private(fpm, lambda, &step, x, change));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!change) {
    PetscCall(VecAXPBY(w_prev, 1 + beta, -beta, w)); /* y */
    PetscCall(BLPLossGradient(fpm->blp, lambda, w_prev, NULL, fpm->work));
    PetscCall(VecAXPY(w_prev, -fpm->step, fpm->work));
  } else { /* ||(w_new - w, w - w_prev)|| */
    PetscReal moved, before;
    if (!nesterov->ahead) PetscCall(VecDuplicate(fpm->work, &nesterov->ahead));
    PetscCall(VecCopy(w_prev, nesterov->ahead));
    PetscCall(VecAXPBY(nesterov->ahead, 1 + beta, -beta, w));
    PetscCall(BLPLossGradient(fpm->blp, lambda, nesterov->ahead, NULL, fpm->work));
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

/* At a fixed point (w, w) y is w, bit by bit. */
static PetscErrorCode FPMLinearize_Nesterov(FPM fpm, Vec lambda, State x)
{
  Nesterov *nesterov = (Nesterov *)fpm->data;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(nesterov->y, -1, x->v[1], x->v[0]));
  PetscCall(VecAYPX(nesterov->y, fpm->momentum, x->v[0]));
  PetscCall(BLPLossLinearize(fpm->blp, lambda, nesterov->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (A s, a) with s = (1 + beta) a - beta b */
static PetscErrorCode FPMJVP_Nesterov(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(y->v[1], -1, v->v[1], v->v[0]));
  PetscCall(VecAYPX(y->v[1], beta, v->v[0])); /* s */
  PetscCall(BLPLossHessianMult(fpm->blp, y->v[1], y->v[0]));
  PetscCall(VecAYPX(y->v[0], -fpm->step, y->v[1]));
  PetscCall(VecCopy(v->v[0], y->v[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ((1 + beta) A a + b, -beta A a) */
static PetscErrorCode FPMVJP_Nesterov(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(BLPLossHessianMult(fpm->blp, v->v[0], y->v[1]));
  PetscCall(VecAYPX(y->v[1], -fpm->step, v->v[0])); /* A a */
  PetscCall(VecWAXPY(y->v[0], 1 + beta, y->v[1], v->v[1]));
  PetscCall(VecScale(y->v[1], -beta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (a, c) <- ((1 + beta) A a + c + b1, b2 - beta A a) a step */
static PetscErrorCode FPMAdjointSteps_Nesterov(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  const PetscReal alpha = fpm->step, now = (1 + fpm->momentum) * alpha;

  PetscFunctionBegin;
  (void)residual;
  for (PetscInt i = 0; i < n; i++) PetscCall(FPMAdjointStep_Loss(fpm, now, alpha, b, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (I - d1Phi)(a, b) = (alpha H s - beta (a - b), b - a): s - A s is alpha H s */
static PetscErrorCode FPMResidualJVP_Nesterov(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(y->v[1], -1, v->v[1], v->v[0]));
  PetscCall(VecAYPX(y->v[1], beta, v->v[0])); /* s */
  PetscCall(BLPLossHessianMult(fpm->blp, y->v[1], y->v[0]));
  PetscCall(VecWAXPY(y->v[1], -1, v->v[0], v->v[1])); /* b - a */
  PetscCall(VecAXPBY(y->v[0], beta, fpm->step, y->v[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* (I - d1Phi^T)(a, b) = ((1 + beta) alpha H a - m, m - beta alpha H a) with m = beta a + b */
static PetscErrorCode FPMResidualVJP_Nesterov(FPM fpm, State v, State y)
{
  const PetscReal beta = fpm->momentum, alpha = fpm->step;

  PetscFunctionBegin;
  PetscCall(BLPLossHessianMult(fpm->blp, v->v[0], fpm->work));
  PetscCall(VecWAXPY(y->v[1], beta, v->v[0], v->v[1])); /* m */
  PetscCall(VecAXPBY(y->v[0], (1 + beta) * alpha, 0, fpm->work));
  PetscCall(VecAXPY(y->v[0], -1, y->v[1]));
  PetscCall(VecAXPY(y->v[1], -beta * alpha, fpm->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* -grad l(y), and A (w - w') */
static PetscErrorCode FPMByStep_Nesterov(FPM fpm, Vec lambda, State x, Vec by_step, Vec by_momentum)
{
  Nesterov *nesterov = (Nesterov *)fpm->data;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(by_step, -1, x->v[1], x->v[0])); /* w - w' */
  PetscCall(BLPLossHessianMult(fpm->blp, by_step, by_momentum));
  PetscCall(VecAYPX(by_momentum, -fpm->step, by_step));
  PetscCall(BLPLossGradient(fpm->blp, lambda, nesterov->y, NULL, by_step));
  PetscCall(VecScale(by_step, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(FPM fpm)
{
  Nesterov *nesterov = (Nesterov *)fpm->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&nesterov->y));
  PetscCall(VecDestroy(&nesterov->ahead));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMSetUp_Nesterov(FPM fpm)
{
  PetscFunctionBegin;
  PetscCall(Reset(fpm));
  PetscCall(VecDuplicate(fpm->work, &((Nesterov *)fpm->data)->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMDestroy_Nesterov(FPM fpm)
{
  PetscFunctionBegin;
  PetscCall(Reset(fpm));
  PetscCall(PetscFree(fpm->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreate_Nesterov(FPM fpm)
{
  Nesterov *nesterov;

  PetscFunctionBegin;
  PetscCall(PetscNew(&nesterov));
  fpm->data = nesterov;
  fpm->method = FPM_METHOD_NESTEROV;
  fpm->nstate = 2;
  fpm->symmetric = PETSC_FALSE;
  fpm->uses_momentum = PETSC_TRUE;
  fpm->ops->setup = FPMSetUp_Nesterov;
  fpm->ops->destroy = FPMDestroy_Nesterov;
  fpm->ops->step = FPMStep_Nesterov;
  fpm->ops->linearize = FPMLinearize_Nesterov;
  fpm->ops->jvp = FPMJVP_Nesterov;
  fpm->ops->vjp = FPMVJP_Nesterov;
  fpm->ops->adjointsteps = FPMAdjointSteps_Nesterov;
  fpm->ops->residualjvp = FPMResidualJVP_Nesterov;
  fpm->ops->residualvjp = FPMResidualVJP_Nesterov;
  fpm->ops->parameterjvp = FPMParameterJVP_Loss;
  fpm->ops->parametervjpadd = FPMParameterVJPAdd_Loss;
  fpm->ops->bystep = FPMByStep_Nesterov;
  PetscFunctionReturn(PETSC_SUCCESS);
}
