/* BLP: the bilevel problem. Interface and dispatch; a problem a file of problems/. */
#include <twofold/blpsweep.h>
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
  PetscCall(TwofoldListAdd(&BLPList, BLPBIASEDREG, (TwofoldConstructor)BLPCreate_BiasedReg));
  PetscCall(TwofoldListAdd(&BLPList, BLPLOGISTIC, (TwofoldConstructor)BLPCreate_Logistic));
  PetscCall(TwofoldListAdd(&BLPList, BLPKRR, (TwofoldConstructor)BLPCreate_KRR));
  PetscCall(TwofoldListAdd(&BLPList, BLPUSER, (TwofoldConstructor)BLPCreate_User));
  PetscCall(TwofoldListAdd(&BLPList, BLPQUADRATIC, (TwofoldConstructor)BLPCreate_Quadratic));
  PetscCall(TwofoldListAdd(&BLPList, BLPHYPERREP, (TwofoldConstructor)BLPCreate_HyperRep));
  PetscCall(TwofoldListAdd(&BLPList, BLPDISTILL, (TwofoldConstructor)BLPCreate_Distill));
  PetscCall(TwofoldListAdd(&BLPList, BLPDATACLEAN, (TwofoldConstructor)BLPCreate_DataClean));
  PetscCall(TwofoldListAdd(&BLPList, BLPEQUILIBRIUM, (TwofoldConstructor)BLPCreate_Equilibrium));
  PetscCall(TwofoldListAdd(&BLPList, BLPCONVEQUILIBRIUM, (TwofoldConstructor)BLPCreate_ConvEquilibrium));
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
  PetscCall(BLPResetSweep_Private(*blp));
  PetscCall(BLPTieReset_Private(*blp));
  PetscCall(MatDestroy(&(*blp)->tie.given));
  for (int s = 0; s < 3; s++) PetscCall(DataSetDestroy(&(*blp)->set[s]));
  PetscCall(DataSetDestroy(&(*blp)->like));
  PetscCall(VecDestroy(&(*blp)->shift));
  PetscCall(VecDestroy(&(*blp)->scale));
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

/* What a constructor finds that does not care. */
static void ResetTraits(BLP blp)
{
  blp->kernel = (BLPKernel){0};
  blp->targets = blp->positive = blp->upper_by_training = PETSC_FALSE;
  blp->synthetic.p = 100;
  blp->synthetic.noise = 0.1;
  blp->nsynthetic[BLP_TRAIN] = blp->nsynthetic[BLP_VAL] = 500;
  blp->nsynthetic[BLP_TEST] = 0;
  blp->text = (DataSetSyntheticTextRule){.p = 100000, .c = 20, .length = 130, .zipf = 1, .topic = 0.1};
  blp->ntext[BLP_TRAIN] = blp->ntext[BLP_VAL] = 6282; /* a third of 20 newsgroups, whose like this is */
  blp->ntext[BLP_TEST] = 0;
  blp->diagnostics = NULL;
  blp->matrix[0] = blp->matrix[1] = blp->matrix[2] = 0;
}

PetscErrorCode BLPSetType(BLP blp, BLPType type)
{
  PetscBool changed, same;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)blp, type, &same));
  if (!same) ResetTraits(blp);
  PetscCall(TwofoldSetType((PetscObject)blp, BLPList, "blp_type", type, (TwofoldTypeFn)blp->ops->destroy,
                           blp->ops, sizeof(struct _BLPOps), &changed));
  if (changed) PetscCall(BLPResetFolds_Private(blp));
  if (changed) blp->synthetic.kind = blp->targets ? DATASET_SYNTHETIC_REGRESSION : DATASET_SYNTHETIC_SIGN;
  if (changed) blp->setup = blp->linearized = blp->map_linearized = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetUpperL2(BLP blp, PetscReal rho)
{
  PetscFunctionBegin;
  PetscCheck(rho >= 0 && !PetscIsInfReal(rho), PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_upper_l2 %g: the penalty's weight must be finite and not negative", (double)rho);
  blp->upper_l2 = rho;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetFromOptions(BLP blp)
{
  char type[64];
  PetscInt tie = (PetscInt)blp->tie.kind;
  PetscReal rho = blp->upper_l2;

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)blp);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-blp_type", "Problem", "BLPSetType", BLPList, BLPSOFTMAX,
                               type, sizeof(type)));
  PetscCall(BLPSetType(blp, type));
  if (blp->needs_samples) PetscCall(BLPDataSetFromOptions_Private(blp, PetscOptionsObject));
  PetscCall(PetscOptionsEList("-blp_lambda_tie", "Which entries of lambda are one number", "BLPSetTie",
                              BLPTies, 5, BLPTies[tie], &tie, NULL));
  PetscCall(PetscOptionsReal("-blp_upper_l2", "RHO of RHO/2 ||lambda||^2 in the upper objective",
                             "BLPSetUpperL2", rho, &rho, NULL));
  PetscTryTypeMethod(blp, setfromoptions, PetscOptionsObject);
  PetscCall(PetscOptionsBool("-blp_test_derivatives", "Check all derivatives before the first hypergradient",
                             "BLPTestDerivatives", blp->test_derivatives, &blp->test_derivatives, NULL));
  PetscCall(PetscOptionsViewer("-blp_view", "Print the problem", "BLPView", NULL, NULL, NULL));
  PetscOptionsEnd();
  PetscCall(BLPSetTie(blp, (BLPTie)tie));
  PetscCall(BLPSetUpperL2(blp, rho));
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

/* The samples a type needs, or was given. */
static PetscErrorCode SetUpData(BLP blp)
{
  PetscFunctionBegin;
  if (blp->needs_samples && !blp->set[BLP_TRAIN]) PetscCall(BLPLoadData_Private(blp));
  if (!blp->set[BLP_TRAIN]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(blp->set[BLP_VAL] || blp->upper_by_training, PetscObjectComm((PetscObject)blp),
             PETSC_ERR_ARG_WRONGSTATE,
             "no validation samples: the upper level needs them beside the training samples (BLPSetData())");
  PetscCall(BLPSetLabels_Private(blp));
  PetscCall(DataSetAgree(3, blp->set));
  PetscCall(DataSetDestroy(&blp->like));
  PetscCall(DataSetCreateLike(blp->set[BLP_TRAIN], &blp->like));
  PetscCall(BLPScaleData_Private(blp));
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
  PetscCall(SetUpData(blp));
  PetscUseTypeMethod(blp, setup);
  for (int s = 0; s < 3; s++)
    PetscCall(DataSetDestroy(&blp->set[s])); /* the problem has built what it needs */
  PetscCall(BLPTieSetUp_Private(blp));
  PetscCall(BLPSetUpBounds_Private(blp));
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
  if (blp->scale)
    PetscCall(PetscViewerASCIIPrintf(viewer, "features scaled by the training samples: %s\n",
                                     DataSetScales[blp->scaling]));
  PetscCall(BLPTieView_Private(blp, viewer));
  if (blp->upper_l2 > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "upper objective + rho/2 ||lambda||^2, rho %g\n",
                                     (double)blp->upper_l2));
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
  if (lambda) PetscCall(BLPTieCreateVec_Private(blp, lambda));
  if (w) PetscUseTypeMethod(blp, createvecs, NULL, w);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetStart(BLP blp, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(VecZeroEntries(lambda));
  PetscTryTypeMethod(blp, start, lambda);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetSizes(BLP blp, PetscInt *nlambda, PetscInt *nw)
{
  PetscFunctionBegin;
  PetscCall(BLPSetUp(blp));
  if (nlambda) *nlambda = blp->tie.T ? blp->tie.n : blp->nlambda;
  if (nw) *nw = blp->nw;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A model that was read from a file has none. */
static PetscErrorCode CheckSamples(BLP blp)
{
  PetscFunctionBegin;
  PetscCheck(!blp->needs_samples || blp->has[BLP_TRAIN], PetscObjectComm((PetscObject)blp),
             PETSC_ERR_ARG_WRONGSTATE, "the problem has no samples (BLPLoadModel()): it can only predict");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* E += rho/2 ||lambda||^2, grad2 E += rho lambda */
static PetscErrorCode AddUpperL2(BLP blp, Vec lambda, PetscReal *E, Vec g2)
{
  PetscReal norm;

  PetscFunctionBegin;
  if (blp->upper_l2 == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecNorm(lambda, NORM_2, &norm));
  if (E) *E += blp->upper_l2 / 2 * norm * norm;
  if (g2) PetscCall(VecAXPY(g2, blp->upper_l2, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  const Vec own2 = BLPTieOwn_Private(blp, g2);
  Vec own;

  PetscFunctionBegin;
  PetscCall(CheckSamples(blp));
  BLPCheckOp(blp, upper, "upper level E", "BLPUserSetUpper");
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall(PetscLogEventBegin(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscUseTypeMethod(blp, upper, own, w, E, g1, own2);
  PetscCall(BLPTieResult_Private(blp, own2, g2));
  PetscCall(AddUpperL2(blp, lambda, E, g2));
  PetscCall(PetscLogEventEnd(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPHasExact(BLP blp, PetscBool *has)
{
  PetscFunctionBegin;
  *has = (PetscBool)(blp->ops->exact != NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetExact(BLP blp, Vec lambda, Vec w, PetscReal *f, Vec g)
{
  const Vec result = BLPTieOwn_Private(blp, g);
  PetscReal value;
  Vec own;

  PetscFunctionBegin;
  PetscCheck(blp->ops->exact, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "the %s problem has no closed form of w(lambda) and grad f: a hypergradient of high accuracy is "
             "-hg_type aid with small -lls_rtol and -hg_ksp_rtol",
             ((PetscObject)blp)->type_name ? ((PetscObject)blp)->type_name : "untyped");
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscUseTypeMethod(blp, exact, own, w, &value, result);
  PetscCall(BLPTieResult_Private(blp, result, g));
  PetscCall(AddUpperL2(blp, lambda, &value, g));
  if (f) *f = value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(CheckSamples(blp));
  BLPCheckOp(blp, lossgradient, "loss", "BLPUserSetLoss");
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall(PetscLogEventBegin(TWOFOLD_LossGradient, blp, lambda, w, g));
  PetscUseTypeMethod(blp, lossgradient, own, w, l, g);
  PetscCall(PetscLogEventEnd(TWOFOLD_LossGradient, blp, lambda, w, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossLinearize(BLP blp, Vec lambda, Vec w)
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(CheckSamples(blp));
  BLPCheckOp(blp, lossgradient, "loss", "BLPUserSetLoss");
  PetscCall(BLPKeepPoint_Private(blp, blp->point, lambda, w, &own));
  PetscUseTypeMethod(blp, losslinearize, own, w);
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
  const BLPSweep product = {.step = -1};
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  PetscCall(BLPPrefersSweep(blp, &sweeps));
  if (sweeps) {
    PetscCall(BLPLossHessianSweep(blp, &product, v, NULL, y, NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  BLPCheckOp(blp, losshessian, "Hessian product", "BLPUserSetLoss");
  PetscCall(PetscLogEventBegin(TWOFOLD_LossHessian, blp, v, y, 0));
  PetscUseTypeMethod(blp, losshessian, v, y);
  PetscCall(PetscLogEventEnd(TWOFOLD_LossHessian, blp, v, y, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossHessianDiagonal(BLP blp, Vec d)
{
  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losshessiandiagonal, "diagonal of the Hessian", "BLPUserSetLossDiagonal");
  PetscUseTypeMethod(blp, losshessiandiagonal, d);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossCrossMult(BLP blp, Vec u, Vec y)
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losscross, "cross product", "BLPUserSetLoss");
  PetscCall(BLPTieDirection_Private(blp, u, &own));
  PetscUseTypeMethod(blp, losscross, own, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossCrossMultTranspose(BLP blp, Vec v, Vec g)
{
  const Vec own = BLPTieOwn_Private(blp, g);

  PetscFunctionBegin;
  PetscCall(CheckLinearized(blp));
  BLPCheckOp(blp, losscrosstranspose, "cross product transposed", "BLPUserSetLoss");
  PetscUseTypeMethod(blp, losscrosstranspose, v, own);
  PetscCall(BLPTieResult_Private(blp, own, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPEvaluate(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  Vec own;

  PetscFunctionBegin;
  PetscCheck(blp->has[set] || blp->needs_samples, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
             "the %s problem has no %s samples to evaluate%s", ((PetscObject)blp)->type_name, BLPSets[set],
             blp->by_callbacks ? ": BLPUserSetEvaluate()" : "");
  PetscCheck(blp->has[set], PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
             "the problem has no %s samples: add -blp_%s", BLPSets[set], BLPSets[set]);
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  BLPCheckOp(blp, evaluate, "evaluation of samples", "BLPUserSetEvaluate");
  PetscCall(PetscLogEventBegin(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscUseTypeMethod(blp, evaluate, set, own, w, metrics);
  PetscCall(PetscLogEventEnd(TWOFOLD_UpperEval, blp, lambda, w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetMemory(BLP blp, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = 0;
  PetscTryTypeMethod(blp, memory, bytes);
  PetscCall(BLPTieGetMemory_Private(blp, bytes));
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
