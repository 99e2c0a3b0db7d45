/* problem: the lower level's own map, Phi(w) = Phi(w, lambda) as the problem gives it (BLPMapApply()). It has
   no step size: whatever it contracts by is the problem's business. */
#include <twofold/impl/fpmimpl.h>

static PetscErrorCode FPMStep_Problem(FPM fpm, Vec lambda, State x, PetscReal *change)
{
  const Vec w = x->v[0];

  PetscFunctionBegin;
  PetscCall(BLPMapApply(fpm->blp, lambda, w, fpm->work));
  if (change) {
    PetscCall(VecAXPY(w, -1, fpm->work));
    PetscCall(VecNorm(w, NORM_2, change));
  }
  PetscCall(VecCopy(fpm->work, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The problem's own steps, where it has them. */
static PetscErrorCode FPMSteps_Problem(FPM fpm, Vec lambda, PetscInt n, State x)
{
  PetscBool forward, adjoint;

  PetscFunctionBegin;
  PetscCall(BLPHasMapSteps(fpm->blp, &forward, &adjoint));
  if (forward) PetscCall(BLPMapSteps(fpm->blp, lambda, n, x->v[0]));
  for (PetscInt i = 0; i < n && !forward; i++) PetscCall(FPMStep_Problem(fpm, lambda, x, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMLinearize_Problem(FPM fpm, Vec lambda, State x)
{
  PetscFunctionBegin;
  PetscCall(BLPMapLinearize(fpm->blp, lambda, x->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMJVP_Problem(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(BLPMapJVP(fpm->blp, v->v[0], y->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMVJP_Problem(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(BLPMapVJP(fpm->blp, v->v[0], y->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMAdjointSteps_Problem(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  PetscFunctionBegin;
  (void)residual;
  PetscCall(BLPMapAdjointSteps(fpm->blp, b->v[0], n, v->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMParameterJVP_Problem(FPM fpm, Vec u, State y)
{
  PetscFunctionBegin;
  PetscCall(BLPMapParameterJVP(fpm->blp, u, y->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMParameterVJPAdd_Problem(FPM fpm, State v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(BLPMapParameterVJP(fpm->blp, v->v[0], fpm->glambda));
  PetscCall(VecAXPY(g, 1, fpm->glambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FPMDestroy_Problem(FPM fpm)
{
  PetscFunctionBegin;
  fpm->uses_map = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreate_Problem(FPM fpm)
{
  PetscFunctionBegin;
  fpm->nstate = 1;
  fpm->symmetric = PETSC_FALSE; /* the problem knows: FPMIsSymmetric() */
  fpm->uses_momentum = PETSC_FALSE;
  fpm->uses_map = PETSC_TRUE;
  fpm->ops->destroy = FPMDestroy_Problem;
  fpm->ops->step = FPMStep_Problem;
  fpm->ops->steps = FPMSteps_Problem;
  fpm->ops->linearize = FPMLinearize_Problem;
  fpm->ops->jvp = FPMJVP_Problem;
  fpm->ops->vjp = FPMVJP_Problem;
  fpm->ops->adjointsteps = FPMAdjointSteps_Problem;
  fpm->ops->parameterjvp = FPMParameterJVP_Problem;
  fpm->ops->parametervjpadd = FPMParameterVJPAdd_Problem;
  PetscFunctionReturn(PETSC_SUCCESS);
}
