/* BLP: the bilevel problem. Interface and dispatch; a problem a file of problems/. */
#include <twofold/impl/blpimpl.h>

PetscClassId BLP_CLASSID;
static PetscFunctionList BLPList = NULL;

const char *const BLPSets[] = {"train", "val", "test", "BLPSet", "BLP_", NULL};

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode BLPRegisterAll(void)
{
  PetscFunctionBegin;
  if (BLPList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Bilevel Problem", &BLP_CLASSID));
  PetscCall(TwofoldListAdd(&BLPList, BLPSOFTMAX, (TwofoldConstructor)BLPCreate_Softmax));
  PetscCall(TwofoldListAdd(&BLPList, BLPUSER, (TwofoldConstructor)BLPCreate_User));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPRegister(const char type[], PetscErrorCode (*create)(BLP))
{
  PetscFunctionBegin;
  PetscCall(BLPRegisterAll());
  PetscCall(TwofoldListAdd(&BLPList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(BLPRegisterAll());
  PetscCall(TwofoldListTypes(BLPList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate(MPI_Comm comm, BLP *problem)
{
  BLP blp;

  PetscFunctionBegin;
  PetscCall(BLPRegisterAll());
  PetscCall(PetscHeaderCreate(blp, BLP_CLASSID, "BLP", "Bilevel problem", "BLP", comm, BLPDestroy, BLPView));
  PetscCall(PetscStrncpy(blp->split.kind, "third", sizeof(blp->split.kind)));
  blp->folds.G = 1;
  blp->folds.comm = MPI_COMM_NULL;
  *problem = blp;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPDestroy(BLP *blp)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)blp)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPResetFolds_Private(*blp));
  PetscTryTypeMethod(*blp, destroy);
  for (int s = 0; s < 3; s++) PetscCall(DataSetDestroy(&(*blp)->set[s]));
  PetscCall(BLPKeepPair_Private((*blp)->point, NULL, NULL));
  PetscCall(BLPKeepPair_Private((*blp)->map_point, NULL, NULL));
  PetscCall(BLPKeepPair_Private((*blp)->bounds, NULL, NULL));
  PetscCall(PetscHeaderDestroy(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetOptionsPrefix(BLP blp, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)blp, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetType(BLP blp, BLPType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)blp, BLPList, "blp_type", type, (TwofoldTypeFn)blp->ops->destroy,
                           blp->ops, sizeof(struct _BLPOps), &changed));
  if (changed) PetscCall(BLPResetFolds_Private(blp));
  if (changed) blp->setup = blp->linearized = blp->map_linearized = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetFromOptions(BLP blp)
{
  char type[64];

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)blp);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-blp_type", "Problem", "BLPSetType", BLPList, BLPSOFTMAX,
                               type, sizeof(type)));
  PetscCall(BLPSetType(blp, type));
  if (blp->needs_samples) PetscCall(BLPDataSetFromOptions_Private(blp, PetscOptionsObject));
  PetscTryTypeMethod(blp, setfromoptions, PetscOptionsObject);
  PetscCall(PetscOptionsBool("-blp_test_derivatives", "Check all derivatives before the first hypergradient",
                             "BLPTestDerivatives", blp->test_derivatives, &blp->test_derivatives, NULL));
  PetscCall(PetscOptionsViewer("-blp_view", "Print the problem", "BLPView", NULL, NULL, NULL));
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetData(BLP blp, DataSet train, DataSet val, DataSet test)
{
  const DataSet set[3] = {train, val, test};

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (set[s]) PetscCall(PetscObjectReference((PetscObject)set[s]));
    PetscCall(DataSetDestroy(&blp->set[s]));
    blp->set[s] = set[s];
  }
  blp->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The samples a type needs. */
static PetscErrorCode SetUpData(BLP blp)
{
  PetscFunctionBegin;
  if (!blp->set[BLP_TRAIN]) PetscCall(BLPLoadData_Private(blp));
  PetscCheck(blp->set[BLP_VAL], PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "no validation samples: the upper level needs them beside the training samples (BLPSetData())");
  PetscCall(DataSetAgree(3, blp->set));
  for (int s = 0; s < 3; s++) blp->has[s] = blp->set[s] ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetUp(BLP blp)
{
  PetscFunctionBegin;
  if (blp->setup) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(((PetscObject)blp)->type_name, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_TYPENOTSET,
             "BLPSetType() or BLPSetFromOptions() first");
  if (blp->folds.F) {
    PetscCall(BLPSetUpFolds_Private(blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (blp->needs_samples) PetscCall(SetUpData(blp));
  PetscUseTypeMethod(blp, setup);
  PetscCall(BLPCheckBounds_Private(blp));
  for (int s = 0; s < 3; s++)
    PetscCall(DataSetDestroy(&blp->set[s])); /* the problem has built what it needs */
  blp->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)blp, NULL, "-blp_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPView(BLP blp, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)blp, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscTryTypeMethod(blp, view, viewer);
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPHasSet(BLP blp, BLPSet set, PetscBool *has)
{
  PetscFunctionBegin;
  *has = blp->has[set];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreateVecs(BLP blp, Vec *lambda, Vec *w)
{
  PetscFunctionBegin;
  PetscCall(BLPSetUp(blp));
  PetscUseTypeMethod(blp, createvecs, lambda, w);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetSizes(BLP blp, PetscInt *nlambda, PetscInt *nw)
{
  PetscFunctionBegin;
  PetscCall(BLPSetUp(blp));
  if (nlambda) *nlambda = blp->nlambda;
  if (nw) *nw = blp->nw;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  PetscFunctionBegin;
  BLPCheckOp(blp, upper, "upper level E", "BLPUserSetUpper");
  PetscCall(PetscLogEventBegin(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscUseTypeMethod(blp, upper, lambda, w, E, g1, g2);
  PetscCall(PetscLogEventEnd(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  PetscFunctionBegin;
  BLPCheckOp(blp, lossgradient, "loss", "BLPUserSetLoss");
  PetscCall(PetscLogEventBegin(TWOFOLD_LossGradient, blp, lambda, w, g));
  PetscUseTypeMethod(blp, lossgradient, lambda, w, l, g);
  PetscCall(PetscLogEventEnd(TWOFOLD_LossGradient, blp, lambda, w, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossLinearize(BLP blp, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  BLPCheckOp(blp, lossgradient, "loss", "BLPUserSetLoss");
  PetscCall(BLPKeepPair_Private(blp->point, lambda, w));
  PetscUseTypeMethod(blp, losslinearize, lambda, w);
  blp->linearized = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckLinearized(BLP blp)
{
  PetscFunctionBegin;
  PetscCheck(blp->linearized, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "BLPLossLinearize() first");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossHessianMult(BLP blp, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losshessian, "Hessian product", "BLPUserSetLoss");
  PetscCall(PetscLogEventBegin(TWOFOLD_LossHessian, blp, v, y, 0));
  PetscUseTypeMethod(blp, losshessian, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_LossHessian, blp, v, y, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossCrossMult(BLP blp, Vec u, Vec y)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losscross, "cross product", "BLPUserSetLoss");
  PetscUseTypeMethod(blp, losscross, u, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossCrossMultTranspose(BLP blp, Vec v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losscrosstranspose, "cross product transposed", "BLPUserSetLoss");
  PetscUseTypeMethod(blp, losscrosstranspose, v, g);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetStrongConvexity(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  *mu = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscTryTypeMethod(blp, strongconvexity, lambda, mu);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetSmoothness(BLP blp, Vec lambda, TwofoldConstant *L)
{
  PetscFunctionBegin;
  *L = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscTryTypeMethod(blp, smoothness, lambda, L);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPEvaluate(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  PetscFunctionBegin;
  PetscCheck(blp->has[set] || blp->needs_samples, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
             "the %s problem has no %s samples to evaluate%s", ((PetscObject)blp)->type_name, BLPSets[set],
             blp->by_callbacks ? ": BLPUserSetEvaluate()" : "");
  PetscCheck(blp->has[set], PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
             "the problem has no %s samples: add -blp_%s", BLPSets[set], BLPSets[set]);
  PetscCall(PetscLogEventBegin(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscUseTypeMethod(blp, evaluate, set, lambda, w, metrics);
  PetscCall(PetscLogEventEnd(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetMemory(BLP blp, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = 0;
  PetscTryTypeMethod(blp, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetTestDerivatives(BLP blp, PetscBool test)
{
  PetscFunctionBegin;
  blp->test_derivatives = test;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetTestDerivatives(BLP blp, PetscBool *test)
{
  PetscFunctionBegin;
  *test = blp->test_derivatives;
  PetscFunctionReturn(PETSC_SUCCESS);
}
