/* Cross-validation: a problem whose f is the mean over F folds of its samples. It has no lower level of its
   own but a child problem a fold, on the communicator of its group of ranks. The samples are read once, by
   all ranks, and dealt from there to the groups. */
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/datasetimpl.h>

PetscErrorCode BLPSetFolds(BLP blp, PetscInt F, PetscInt G)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCheck(F == 0 || F >= 2, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_folds %" PetscInt_FMT ": must be at least 2, or 0 for no cross-validation", F);
  PetscCheck(F == 0 || (G >= 1 && G <= F && G <= size), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_fold_groups %" PetscInt_FMT
             ": must be at least 1 and at most the number of folds, %" PetscInt_FMT ", and of ranks, %d",
             G, F, size);
  if (F == blp->folds.F && G == blp->folds.G) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPResetFolds_Private(blp));
  blp->folds.F = F;
  blp->folds.G = G;
  blp->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetFolds(BLP blp, PetscInt *F, PetscInt *G, PetscInt *nlocal, BLP *children[])
{
  PetscFunctionBegin;
  if (blp->folds.F) PetscCall(BLPSetUp(blp));
  if (F) *F = blp->folds.F;
  if (G) *G = blp->folds.G;
  if (nlocal) *nlocal = blp->folds.nlocal;
  if (children) *children = blp->folds.child;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what a folded problem does and refuses
 */

static PetscErrorCode Refuse(BLP blp, const char what[])
{
  PetscFunctionBegin;
  SETERRQ(PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
          "%s: this problem has %" PetscInt_FMT
          " folds and a lower level in each: HGSolve() and HGMeasure() know "
          "them all, BLPGetFolds() gives their problems",
          what, blp->folds.F);
}

static PetscErrorCode BLPUpper_Folds(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  PetscFunctionBegin;
  (void)lambda, (void)w, (void)E, (void)g1, (void)g2;
  PetscCall(Refuse(blp, "BLPUpper()"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_Folds(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  PetscFunctionBegin;
  (void)lambda, (void)w, (void)l, (void)g;
  PetscCall(Refuse(blp, "BLPLossGradient()"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_Folds(BLP blp, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  (void)lambda, (void)w;
  PetscCall(Refuse(blp, "BLPLossLinearize()"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPConstant_Folds(BLP blp, Vec lambda, TwofoldConstant *constant)
{
  PetscFunctionBegin;
  (void)lambda, (void)constant;
  PetscCall(Refuse(blp, "constants of the loss"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLipschitz_Folds(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  PetscFunctionBegin;
  (void)lambda, (void)w, (void)radius, (void)c;
  PetscCall(Refuse(blp, "constants of the loss"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPEvaluate_Folds(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  PetscFunctionBegin;
  (void)set, (void)lambda, (void)w, (void)metrics;
  PetscCall(Refuse(blp, "BLPEvaluate()"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* lambda is the parent's, wherever the children keep theirs. */
static PetscErrorCode BLPCreateVecs_Folds(BLP blp, Vec *lambda, Vec *w)
{
  PetscFunctionBegin;
  if (w) PetscCall(Refuse(blp, "a vector w"));
  if (!lambda) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), lambda));
  PetscCall(VecSetSizes(*lambda, PETSC_DECIDE, blp->nlambda));
  PetscCall(VecSetFromOptions(*lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first fold's problem stands for all; its group's first rank is the viewer's. */
static PetscErrorCode BLPView_Folds(BLP blp, PetscViewer viewer)
{
  const BLPFolds *folds = &blp->folds;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "cross-validation: %" PetscInt_FMT " folds on %" PetscInt_FMT
                                   " groups of ranks; the first fold:\n",
                                   folds->F, folds->G));
  if (folds->group == 0) PetscCall(BLPView(folds->child[0], viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Folds(BLP blp, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < blp->folds.nlocal; i++) {
    PetscLogDouble one;
    PetscCall(BLPGetMemory(blp->folds.child[i], &one));
    *bytes += one;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Takes the type's table away: what is not named here is missing, and PETSc says so. */
static void ReplaceOps(BLP blp)
{
  blp->folds.single = *blp->ops;
  *blp->ops = (struct _BLPOps){.setfromoptions = blp->folds.single.setfromoptions,
                               .destroy = blp->folds.single.destroy,
                               .start = blp->folds.single.start,
                               .createvecs = BLPCreateVecs_Folds,
                               .upper = BLPUpper_Folds,
                               .lossgradient = BLPLossGradient_Folds,
                               .losslinearize = BLPLossLinearize_Folds,
                               .strongconvexity = BLPConstant_Folds,
                               .smoothness = BLPConstant_Folds,
                               .losslipschitz = BLPLossLipschitz_Folds,
                               .evaluate = BLPEvaluate_Folds,
                               .view = BLPView_Folds,
                               .memory = BLPGetMemory_Folds};
}

PetscErrorCode BLPResetFolds_Private(BLP blp)
{
  BLPFolds *folds = &blp->folds;
  const PetscBool split = (PetscBool)(folds->comm != MPI_COMM_NULL && folds->G > 1);

  PetscFunctionBegin;
  if (blp->ops->createvecs == BLPCreateVecs_Folds) *blp->ops = folds->single;
  for (PetscInt i = 0; i < folds->nlocal && folds->child; i++) PetscCall(BLPDestroy(&folds->child[i]));
  PetscCall(PetscFree(folds->child));
  if (split) PetscCallMPI(MPI_Comm_free(&folds->comm));
  folds->comm = MPI_COMM_NULL;
  folds->nlocal = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ dealing out */

/* First rank of a group: groups are of consecutive ranks, and their sizes differ by one at most. */
static PetscMPIInt FirstRank(PetscMPIInt size, PetscInt G, PetscInt group)
{
  return (PetscMPIInt)(((PetscInt64)group * size + G - 1) / G);
}

static PetscErrorCode MakeGroups(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  BLPFolds *folds = &blp->folds;
  PetscMPIInt rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  folds->group = (PetscInt)((PetscInt64)rank * folds->G / size);
  folds->nlocal = (folds->F - folds->group + folds->G - 1) / folds->G;
  folds->comm = comm;
  if (folds->G > 1) PetscCallMPI(MPI_Comm_split(comm, (int)folds->group, rank, &folds->comm));
  PetscCall(PetscCalloc1(folds->nlocal, &folds->child));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rows of `all` in fold k (inside) or in the others, on the group of fold k; all rows where fold is NULL. */
static PetscErrorCode SelectFold(BLP blp, DataSet all, const PetscInt fold[], PetscInt k, PetscBool inside,
                                 DataSet *part)
{
  const BLPFolds *folds = &blp->folds;
  PetscInt n;
  PetscBool *keep;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PetscObjectComm((PetscObject)blp), &size));
  PetscCall(DataSetGetRows(all, &n, NULL, NULL, NULL, NULL));
  PetscCall(PetscMalloc1(n + 1, &keep));
  for (PetscInt i = 0; i < n; i++) keep[i] = (PetscBool)(!fold || (fold[i] == k) == inside);
  const PetscInt group = k % folds->G;
  const PetscMPIInt first = FirstRank(size, folds->G, group), next = FirstRank(size, folds->G, group + 1);
  PetscCall(DataSetSelectOnto_Private(all, keep, folds->comm, first, next - first, part));
  PetscCall(PetscFree(keep));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The child of fold k, set up. Collective on the group. */
static PetscErrorCode MakeChild(BLP blp, PetscInt k, PetscInt nclasses, DataSet train, DataSet val,
                                DataSet test, BLP *child)
{
  PetscInt c;

  PetscFunctionBegin;
  PetscCall(DataSetGetSizes(train, NULL, NULL, &c));
  PetscCheck(c == nclasses, PetscObjectComm((PetscObject)train), PETSC_ERR_FILE_UNEXPECTED,
             "the training samples of fold %" PetscInt_FMT " have %" PetscInt_FMT " of the %" PetscInt_FMT
             " classes: a class is in this fold alone; try -blp_stratified or another -blp_seed",
             k, c, nclasses);
  PetscCall(BLPCreate(blp->folds.comm, child));
  (*child)->is_fold = PETSC_TRUE;
  (*child)->scaling = blp->scaling;
  PetscCall(BLPSetOptionsPrefix(*child, ((PetscObject)blp)->prefix));
  PetscCall(BLPSetType(*child, ((PetscObject)blp)->type_name));
  PetscCall(BLPSetData(*child, train, val, test));
  PetscCall(
      DataSetDestroy(&train)); /* the child has the only reference, and drops it when it has built from it */
  PetscCall(DataSetDestroy(&val));
  PetscCall(DataSetDestroy(&test));
  if (blp->folds.from_options) PetscCall(BLPSetFromOptions(*child));
  PetscCall(BLPSetTie(*child, blp->tie.kind));
  PetscCall(BLPSetUpperL2(*child, blp->upper_l2));
  PetscCall(BLPSetUp(*child));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The i-th fold of every group: rows change hands on all ranks, then each group makes its child. Children
   print nothing: that is the parent's part. */
static PetscErrorCode MakeRound(BLP blp, DataSet all, const PetscInt fold[], PetscInt i)
{
  BLPFolds *folds = &blp->folds;
  DataSet train = NULL, val = NULL, test = NULL;
  PetscErrorCode error = PETSC_SUCCESS;

  PetscFunctionBegin;
  for (PetscInt k = i * folds->G; k < PetscMin((i + 1) * folds->G, folds->F); k++) {
    DataSet in, out, copy = NULL;
    PetscCall(SelectFold(blp, all, fold, k, PETSC_TRUE, &in));
    PetscCall(SelectFold(blp, all, fold, k, PETSC_FALSE, &out));
    if (blp->set[BLP_TEST]) PetscCall(SelectFold(blp, blp->set[BLP_TEST], NULL, k, PETSC_TRUE, &copy));
    if (copy) test = copy; /* each child scales its own */
    if (in) val = in;
    if (out) train = out;
  }
  PetscCall(PetscOptionsPushGetViewerOff(PETSC_TRUE));
  if (i < folds->nlocal)
    error = MakeChild(blp, folds->group + i * folds->G, all->c, train, val, test, &folds->child[i]);
  PetscCall(PetscOptionsPopGetViewerOff());
  PetscCall(TwofoldAgreeRaised(PetscObjectComm((PetscObject)blp), error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The parent's sizes are the children's, which must all have the same. */
static PetscErrorCode AgreeSizes(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt sizes[4] = {PETSC_MAX_INT, PETSC_MAX_INT, PETSC_MAX_INT,
                       PETSC_MAX_INT}; /* least, and least of -size */

  PetscFunctionBegin;
  for (PetscInt i = 0; i < blp->folds.nlocal; i++) {
    PetscInt nlambda, nw;
    PetscCall(BLPGetSizes(blp->folds.child[i], &nlambda, &nw));
    sizes[0] = PetscMin(sizes[0], nlambda);
    sizes[1] = PetscMin(sizes[1], nw);
    sizes[2] = PetscMin(sizes[2], -nlambda);
    sizes[3] = PetscMin(sizes[3], -nw);
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sizes, 4, MPIU_INT, MPI_MIN, comm));
  PetscCheck(sizes[0] == -sizes[2] && sizes[1] == -sizes[3], comm, PETSC_ERR_SUP,
             "-blp_type %s: the folds have from %" PetscInt_FMT " to %" PetscInt_FMT
             " hyperparameters, and there is no mean over different ones",
             ((PetscObject)blp)->type_name, sizes[0], -sizes[2]);
  blp->nlambda = sizes[0];
  blp->nw = sizes[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetUpFolds_Private(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  BLPFolds *folds = &blp->folds;
  PetscInt n, *fold;

  PetscFunctionBegin;
  PetscCheck(blp->needs_samples, comm, PETSC_ERR_SUP,
             "-blp_type %s has no samples to deal to %" PetscInt_FMT " folds", ((PetscObject)blp)->type_name,
             folds->F);
  PetscCheck(!blp->tie.given, comm, PETSC_ERR_SUP,
             "BLPSetLambdaMap(): each of the %" PetscInt_FMT
             " folds would need the map on its own group of ranks; "
             "-blp_lambda_tie works with folds",
             folds->F);
  PetscCall(BLPResetFolds_Private(blp));
  if (!blp->set[BLP_TRAIN]) PetscCall(BLPLoadData_Private(blp));
  PetscCheck(!blp->set[BLP_VAL], comm, PETSC_ERR_ARG_WRONG,
             "-blp_folds %" PetscInt_FMT " makes the validation samples from the training ones: BLPSetData() "
             "without a validation set",
             folds->F);
  PetscCall(BLPSetLabels_Private(blp));
  const DataSet all = blp->set[BLP_TRAIN];
  PetscCall(DataSetGetRows(all, &n, NULL, NULL, NULL, NULL));
  PetscCall(PetscMalloc1(n + 1, &fold));
  PetscCall(DataSetFold(all, folds->F, blp->split.seed, blp->split.stratified, fold));
  PetscCall(MakeGroups(blp));
  for (PetscInt i = 0; i * folds->G < folds->F; i++) PetscCall(MakeRound(blp, all, fold, i));
  PetscCall(PetscFree(fold));
  blp->has[BLP_TRAIN] = blp->has[BLP_VAL] = PETSC_TRUE;
  blp->has[BLP_TEST] = blp->set[BLP_TEST] ? PETSC_TRUE : PETSC_FALSE;
  for (int s = 0; s < 3; s++) PetscCall(DataSetDestroy(&blp->set[s]));
  PetscCall(AgreeSizes(blp));
  ReplaceOps(blp);
  PetscCall(BLPTieReset_Private(blp)); /* the children have the tie, and their lambda is tied already */
  blp->tie.n = blp->nlambda;
  PetscCall(BLPSetUpBounds_Private(blp));
  blp->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)blp, NULL, "-blp_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}
