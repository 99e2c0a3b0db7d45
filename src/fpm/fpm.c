/* FPM: a fixed-point map and the products of its derivatives. Interface and dispatch. */
#include <twofold/impl/fpmimpl.h>

PetscClassId FPM_CLASSID;
static PetscFunctionList FPMList = NULL;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode FPMRegisterAll(void)
{
  PetscFunctionBegin;
  if (FPMList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Fixed-Point Map", &FPM_CLASSID));
  PetscCall(TwofoldListAdd(&FPMList, FPMGD, (TwofoldConstructor)FPMCreate_GD));
  PetscCall(TwofoldListAdd(&FPMList, FPMHEAVYBALL, (TwofoldConstructor)FPMCreate_HeavyBall));
  PetscCall(TwofoldListAdd(&FPMList, FPMNESTEROV, (TwofoldConstructor)FPMCreate_Nesterov));
  PetscCall(TwofoldListAdd(&FPMList, FPMPROBLEM, (TwofoldConstructor)FPMCreate_Problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMRegister(const char type[], PetscErrorCode (*create)(FPM))
{
  PetscFunctionBegin;
  PetscCall(FPMRegisterAll());
  PetscCall(TwofoldListAdd(&FPMList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(FPMRegisterAll());
  PetscCall(TwofoldListTypes(FPMList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreate(MPI_Comm comm, FPM *map)
{
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(FPMRegisterAll());
  PetscCall(PetscHeaderCreate(fpm, FPM_CLASSID, "FPM", "Fixed-point map", "FPM", comm, FPMDestroy, FPMView));
  fpm->step = 1;
  fpm->momentum = 0;
  *map = fpm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMDestroy(FPM *fpm)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)fpm)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*fpm, destroy);
  PetscCall(VecDestroy(&(*fpm)->work));
  PetscCall(VecDestroy(&(*fpm)->glambda));
  PetscCall(FPMResetFollow_Private(*fpm));
  PetscCall(BLPDestroy(&(*fpm)->blp));
  PetscCall(PetscHeaderDestroy(fpm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetOptionsPrefix(FPM fpm, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)fpm, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetBLP(FPM fpm, BLP blp)
{
  PetscFunctionBegin;
  if (blp != fpm->blp) fpm->optimal.chosen = fpm->optimal.given = PETSC_FALSE;
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BLPDestroy(&fpm->blp));
  fpm->blp = blp;
  fpm->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetType(FPM fpm, FPMType type)
{
  PetscBool same, changed;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)fpm, type, &same));
  if (!same) fpm->method = FPM_METHOD_OTHER; /* until the type says otherwise */
  PetscCall(TwofoldSetType((PetscObject)fpm, FPMList, "fpm_type", type, (TwofoldTypeFn)fpm->ops->destroy,
                           fpm->ops, sizeof(struct _FPMOps), &changed));
  if (changed) fpm->setup = fpm->linearized = fpm->optimal.chosen = PETSC_FALSE;
  fpm->chosen = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetType(FPM fpm, FPMType *type)
{
  PetscFunctionBegin;
  *type = ((PetscObject)fpm)->type_name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The type, unless the caller or an option chose one: gd for a loss, the problem's own map for a map. */
static PetscErrorCode SetDefaultType(FPM fpm)
{
  PetscBool loss = PETSC_TRUE, map = PETSC_FALSE;

  PetscFunctionBegin;
  if (fpm->chosen) PetscFunctionReturn(PETSC_SUCCESS);
  if (fpm->blp) {
    PetscCall(BLPHasLoss(fpm->blp, &loss));
    PetscCall(BLPHasMap(fpm->blp, &map));
  }
  PetscCall(FPMSetType(fpm, map && !loss ? FPMPROBLEM : FPMGD));
  fpm->chosen = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *Prefix(FPM fpm)
{
  return ((PetscObject)fpm)->prefix ? ((PetscObject)fpm)->prefix : "";
}

PetscErrorCode FPMSetStep(FPM fpm, PetscReal alpha)
{
  PetscFunctionBegin;
  PetscCheck(alpha > 0 && !PetscIsInfReal(alpha), PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_OUTOFRANGE,
             "-%sfpm_step %g: the step size must be positive and finite", Prefix(fpm), (double)alpha);
  fpm->step = alpha;
  fpm->optimal.on = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetMomentum(FPM fpm, PetscReal beta)
{
  PetscFunctionBegin;
  PetscCheck(beta >= 0 && beta < 1, PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_OUTOFRANGE,
             "-%sfpm_momentum %g: the momentum must be in [0, 1)", Prefix(fpm), (double)beta);
  PetscCheck(!fpm->optimal.on, PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_INCOMP,
             "-%sfpm_momentum %g beside -%sfpm_step optimal, which chooses both: drop one of them",
             Prefix(fpm), (double)beta, Prefix(fpm));
  fpm->momentum = beta;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetFromOptions(FPM fpm)
{
  char type[64];
  PetscReal momentum = fpm->momentum;
  PetscBool given, momentum_given = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(SetDefaultType(fpm));
  PetscCall(PetscOptionsHasName(((PetscObject)fpm)->options, Prefix(fpm), "-fpm_type", &given));
  PetscObjectOptionsBegin((PetscObject)fpm);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-fpm_type", "Fixed-point map", "FPMSetType", FPMList,
                               FPMGD, type, sizeof(type)));
  given = (PetscBool)(given || fpm->chosen);
  PetscCall(FPMSetType(fpm, type));
  fpm->chosen = given;
  if (!fpm->uses_map) PetscCall(FPMStepFromOptions_Private(fpm, PetscOptionsObject));
  if (fpm->uses_momentum)
    PetscCall(PetscOptionsReal("-fpm_momentum", "Momentum beta", "FPMSetMomentum", momentum, &momentum,
                               &momentum_given));
  PetscCall(PetscOptionsViewer("-fpm_view", "Print the map", "FPMView", NULL, NULL, NULL));
  PetscOptionsEnd();
  if (momentum_given || !fpm->optimal.on) PetscCall(FPMSetMomentum(fpm, momentum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A type is made from the lower level's loss, or is its map. */
static PetscErrorCode CheckLowerLevel(FPM fpm)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  const char *const type = ((PetscObject)fpm)->type_name, *const problem = ((PetscObject)fpm->blp)->type_name;
  PetscBool loss, map;

  PetscFunctionBegin;
  PetscCall(BLPHasLoss(fpm->blp, &loss));
  PetscCall(BLPHasMap(fpm->blp, &map));
  PetscCheck(loss || fpm->uses_map, comm, PETSC_ERR_SUP,
             "%s is made from the lower level's loss; problem type %s gives a map: use -%sfpm_type %s", type,
             problem, Prefix(fpm), FPMPROBLEM);
  PetscCheck(map || !fpm->uses_map, comm, PETSC_ERR_SUP,
             "%s is the lower level's own map; problem type %s gives a loss: use -%sfpm_type %s", type,
             problem, Prefix(fpm), FPMGD);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetUp(FPM fpm)
{
  PetscFunctionBegin;
  if (fpm->setup) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(fpm->blp, PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_WRONGSTATE, "FPMSetBLP() first");
  PetscCall(BLPSetUp(fpm->blp));
  PetscCall(SetDefaultType(fpm));
  PetscCall(CheckLowerLevel(fpm));
  PetscCall(VecDestroy(&fpm->work));
  PetscCall(VecDestroy(&fpm->glambda));
  PetscCall(BLPCreateVecs(fpm->blp, &fpm->glambda, &fpm->work));
  PetscCall(FPMSetUpFollow_Private(fpm));
  PetscTryTypeMethod(fpm, setup);
  fpm->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)fpm, NULL, "-fpm_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMView(FPM fpm, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)fpm, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscBool symmetric;
  PetscCall(FPMIsSymmetric(fpm, &symmetric));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  "));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  if (fpm->uses_map)
    PetscCall(PetscViewerASCIIPrintf(viewer, "no step size"));
  else if (fpm->optimal.on && !fpm->optimal.chosen)
    PetscCall(PetscViewerASCIIPrintf(viewer, "step optimal, not chosen yet"));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "step %g", (double)fpm->step));
  if (fpm->uses_momentum) PetscCall(PetscViewerASCIIPrintf(viewer, ", momentum %g", (double)fpm->momentum));
  PetscCall(PetscViewerASCIIPrintf(viewer, "; d1Phi is %ssymmetric\n", symmetric ? "" : "not "));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscCall(FPMViewOptimal_Private(fpm, viewer));
  PetscTryTypeMethod(fpm, view, viewer);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetStateSize(FPM fpm, PetscInt *n)
{
  PetscFunctionBegin;
  *n = fpm->nstate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMIsSymmetric(FPM fpm, PetscBool *symmetric)
{
  PetscFunctionBegin;
  *symmetric = fpm->symmetric;
  if (fpm->uses_map && fpm->blp) PetscCall(BLPMapIsSymmetric(fpm->blp, symmetric));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCreateState(FPM fpm, State *x)
{
  PetscFunctionBegin;
  PetscCall(FPMSetUp(fpm));
  PetscCall(StateCreate(fpm->work, fpm->nstate, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMStep(FPM fpm, Vec lambda, State x, PetscReal *change)
{
  PetscFunctionBegin;
  PetscCall(FPMSetUp(fpm));
  PetscCall(FPMCheckPrepared_Private(fpm));
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMStep, fpm, lambda, 0, 0));
  PetscUseTypeMethod(fpm, step, lambda, x, change);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMStep, fpm, lambda, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSteps(FPM fpm, Vec lambda, PetscInt n, State x)
{
  PetscFunctionBegin;
  if (!fpm->ops->steps) {
    for (PetscInt i = 0; i < n; i++) PetscCall(FPMStep(fpm, lambda, x, NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMSetUp(fpm));
  PetscCall(FPMCheckPrepared_Private(fpm));
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMStep, fpm, lambda, 0, 0));
  PetscUseTypeMethod(fpm, steps, lambda, n, x);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMStep, fpm, lambda, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMLinearize(FPM fpm, Vec lambda, State x)
{
  PetscFunctionBegin;
  PetscCall(FPMSetUp(fpm));
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMLinearize, fpm, lambda, 0, 0));
  PetscUseTypeMethod(fpm, linearize, lambda, x);
  PetscCall(FPMLinearizeFollow_Private(fpm, lambda, x));
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMLinearize, fpm, lambda, 0, 0));
  fpm->linearized = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckLinearized(FPM fpm)
{
  PetscFunctionBegin;
  PetscCheck(fpm->linearized, PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_WRONGSTATE,
             "products of the map's derivatives need a point: FPMLinearize() first");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMJVP(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMJVP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, jvp, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMJVP, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMVJP(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, vjp, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCanAdjointSteps(FPM fpm, PetscBool *can)
{
  PetscBool forward;

  PetscFunctionBegin;
  *can = (PetscBool)(fpm->ops->adjointsteps != NULL);
  if (*can && fpm->uses_map) PetscCall(BLPHasMapSteps(fpm->blp, &forward, can));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMAdjointSteps(FPM fpm, State b, PetscInt n, State v, PetscReal *residual)
{
  PetscBool can;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(FPMCanAdjointSteps(fpm, &can));
  PetscCheck(can, PetscObjectComm((PetscObject)fpm), PETSC_ERR_SUP,
             "map %s of this problem has no steps of the adjoint", ((PetscObject)fpm)->type_name);
  if (residual) *residual = -1;
  if (n == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, adjointsteps, b, n, v, residual);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCanNormalStep(FPM fpm, PetscBool *can)
{
  PetscFunctionBegin;
  *can = PETSC_FALSE;
  if (fpm->uses_map) PetscCall(BLPHasMapNormalStep(fpm->blp, can));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMNormalStep(FPM fpm, BLPNormalStep *step, Vec v, Vec r, Vec p, Vec z)
{
  PetscBool can;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(FPMCanNormalStep(fpm, &can));
  PetscCheck(can, PetscObjectComm((PetscObject)fpm), PETSC_ERR_SUP,
             "map %s of this problem has no step of the normal equations", ((PetscObject)fpm)->type_name);
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMNormalStep, fpm, 0, 0, 0));
  PetscCall(BLPMapNormalStep(fpm->blp, step, v, r, p, z));
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMNormalStep, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCanReverse(FPM fpm, PetscBool *can)
{
  PetscFunctionBegin;
  *can = PETSC_FALSE;
  if (fpm->ops->reverse && !FPMFollows_Private(fpm)) PetscCall(BLPPrefersSweep(fpm->blp, can));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMReverseStep(FPM fpm, Vec lambda, State x, State v, Vec g)
{
  PetscBool can;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(FPMCanReverse(fpm, &can));
  PetscCheck(can, PetscObjectComm((PetscObject)fpm), PETSC_ERR_SUP,
             "the map %s has no FPMReverseStep() with this problem: ask FPMCanReverse() first",
             ((PetscObject)fpm)->type_name);
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, reverse, x->v[0], v);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscCall(VecAXPY(g, -fpm->step, fpm->glambda));
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMResidualJVP(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  if (!fpm->ops->residualjvp) {
    PetscCall(FPMJVP(fpm, v, y));
    PetscCall(StateAYPX(y, -1, v));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMJVP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, residualjvp, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMJVP, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMResidualVJP(FPM fpm, State v, State y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  if (!fpm->ops->residualvjp) {
    PetscCall(FPMVJP(fpm, v, y));
    PetscCall(StateAYPX(y, -1, v));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscLogEventBegin(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscUseTypeMethod(fpm, residualvjp, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_FPMVJP, fpm, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMParameterJVP(FPM fpm, Vec u, State y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscUseTypeMethod(fpm, parameterjvp, u, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMParameterVJPAdd(FPM fpm, State v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscUseTypeMethod(fpm, parametervjpadd, v, g);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCanSum(FPM fpm, PetscBool *can)
{
  PetscFunctionBegin;
  *can = PETSC_FALSE;
  if (fpm->uses_map) PetscCall(BLPCanSumParameterVJP(fpm->blp, can));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMParameterVJPSum(FPM fpm, State v)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(fpm));
  PetscCall(BLPMapParameterVJPSum(fpm->blp, v->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMParameterVJPTakeSum(FPM fpm, Vec g)
{
  PetscFunctionBegin;
  PetscCall(BLPMapParameterVJPTakeSum(fpm->blp, fpm->glambda));
  PetscCall(VecAXPY(g, 1, fpm->glambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}
