/* descent: steps of fixed size along the negative hypergradient g_i at lambda_i, with momentum m kept in a
   velocity V:

     heavy     V <- m V + g_i,  lambda_{i+1} = lambda_i - step V                  (Polyak)
     nesterov  V <- m V + g_i,  lambda_{i+1} = lambda_i - step (g_i + m V)        (lambda is the extrapolated
   point)   */
#include <twofold/impl/ulsimpl.h>

typedef struct {
  PetscReal momentum;
  PetscBool nesterov;
  Vec velocity; /* only with momentum */
} Descent;

static PetscErrorCode Step(ULS uls, Vec lambda)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_ULSStep, uls, lambda, 0, 0));
  if (!descent->velocity) {
    PetscCall(VecAXPY(lambda, -uls->step, uls->g));
  } else {
    PetscCall(VecAYPX(descent->velocity, descent->momentum, uls->g));
    if (descent->nesterov) {
      PetscCall(VecAXPY(lambda, -uls->step, uls->g));
      PetscCall(VecAXPY(lambda, -uls->step * descent->momentum, descent->velocity));
    } else {
      PetscCall(VecAXPY(lambda, -uls->step, descent->velocity));
    }
  }
  PetscCall(PetscLogEventEnd(TWOFOLD_ULSStep, uls, lambda, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSolve_Descent(ULS uls, Vec lambda)
{
  PetscBool usable, stop;

  PetscFunctionBegin;
  while (uls->it < uls->max_it) {
    PetscReal norm;
    PetscCall(ULSComputePoint_Private(uls, lambda, &usable));
    if (!usable) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(HGAccept(uls->hg));
    PetscCall(Step(uls, lambda));
    PetscCall(VecNorm(lambda, NORM_2, &norm));
    uls->it++;
    if (PetscIsInfOrNanReal(norm)) {
      uls->reason = ULS_DIVERGED_NANORINF;
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    stop = PETSC_FALSE;
    if (uls->stephook) PetscCallBack("step hook", (*uls->stephook)(uls, uls->it, &stop, uls->stephookctx));
    if (stop) {
      uls->reason = ULS_STOPPED;
      PetscFunctionReturn(PETSC_SUCCESS);
    }
  }
  PetscCall(ULSComputeLast_Private(uls, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetFromOptions_Descent(ULS uls, PetscOptionItems *PetscOptionsObject)
{
  Descent *descent = (Descent *)uls->data;
  const char *const kinds[] = {"heavy", "nesterov"};
  PetscInt kind = descent->nesterov ? 1 : 0;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-uls_momentum", "Momentum in [0, 1)", "ULSDESCENT", descent->momentum,
                             &descent->momentum, NULL));
  PetscCall(PetscOptionsEList("-uls_momentum_type", "Kind of momentum", "ULSDESCENT", kinds, 2, kinds[kind],
                              &kind, NULL));
  PetscCheck(descent->momentum >= 0 && descent->momentum < 1, PetscObjectComm((PetscObject)uls),
             PETSC_ERR_ARG_OUTOFRANGE, "-uls_momentum %g: must be in [0, 1)", (double)descent->momentum);
  descent->nesterov = kind ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetUp_Descent(ULS uls)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&descent->velocity));
  if (descent->momentum > 0) {
    PetscCall(VecDuplicate(uls->g, &descent->velocity));
    PetscCall(VecZeroEntries(descent->velocity));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSaveState_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  if (!descent->velocity) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectSetName((PetscObject)descent->velocity, "velocity"));
  PetscCall(VecView(descent->velocity, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSRestoreState_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  if (!descent->velocity) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectSetName((PetscObject)descent->velocity, "velocity"));
  PetscCall(TwofoldVecRestore(descent->velocity, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSView_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  if (descent->momentum > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s momentum %g\n", descent->nesterov ? "Nesterov" : "heavy",
                                     (double)descent->momentum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSGetMemory_Descent(ULS uls, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(uls->g, &nlocal));
  if (((Descent *)uls->data)->velocity) *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSDestroy_Descent(ULS uls)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&((Descent *)uls->data)->velocity));
  PetscCall(PetscFree(uls->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSCreate_Descent(ULS uls)
{
  Descent *descent;

  PetscFunctionBegin;
  PetscCall(PetscNew(&descent));
  uls->data = descent;
  uls->ops->setfromoptions = ULSSetFromOptions_Descent;
  uls->ops->setup = ULSSetUp_Descent;
  uls->ops->solve = ULSSolve_Descent;
  uls->ops->savestate = ULSSaveState_Descent;
  uls->ops->restorestate = ULSRestoreState_Descent;
  uls->ops->view = ULSView_Descent;
  uls->ops->memory = ULSGetMemory_Descent;
  uls->ops->destroy = ULSDestroy_Descent;
  PetscFunctionReturn(PETSC_SUCCESS);
}
