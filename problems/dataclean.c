/*
  dataclean: training samples some of whose labels are wrong, with a weight each that is learnt.

    l(w, lambda) = 1/n sum_i sigma(lambda_i) CE(y_i, W^T x_i) + beta/(2 c p) ||W||^2   (training samples)
    E(w)         = 1/n' sum_i CE(y'_i, W^T x'_i)                                      (validation samples)

  lambda has an entry a training sample, sigma(t) = 1 / (1 + e^-t), and W is p x c. With P = softmax of the
  rows of X W, s = sigma(lambda), s' = sigma'(lambda), delta = beta / (c p), * by rows:

    grad_w l                        = X^T (s * (P - Y)) / n + delta W
    (grad^2_ww l) V                 = X^T (s * R) / n + delta V,     R_i = P_i * (Z_i - <P_i, Z_i>),  Z = X V
    (d/dlambda grad_w l) u          = X^T (s' * u * (P - Y)) / n
    (d/dlambda grad_w l)^T V        = s' * <P - Y, X V> / n, a number a row

  Labels are spoilt at set-up, as data with wrong labels that are known to be wrong are rare: see
  dataclean_labels.c. Validation and test samples keep theirs.
*/
#include "dataclean.h"

static const char *const starts[] = {"zero", "all", "oracle", "DataCleanStart", "DATACLEAN_", NULL};

/* ------------------------------------------------------------------ weights */

PetscErrorCode DataCleanUpdateWeights_Private(DataClean *dc, Vec lambda)
{
  TwofoldSeen now = {0};
  const PetscScalar *l;

  PetscFunctionBegin;
  PetscCall(TwofoldSee(lambda, &now));
  if (now.id == dc->seen.id && now.state == dc->seen.state) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetArrayRead(lambda, &l));
  for (PetscInt i = 0; i < dc->n; i++) {
    const PetscReal e = PetscExpReal(-PetscAbsReal(l[i]));
    dc->weight[i] = (l[i] >= 0 ? 1 : e) / (1 + e);
    dc->rate[i] = e / ((1 + e) * (1 + e));
  }
  PetscCall(VecRestoreArrayRead(lambda, &l));
  dc->seen = now;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataCleanBegin_Private(const DataClean *dc, PetscBool weighted, CrossEntropy *out)
{
  PetscFunctionBegin;
  PetscCall(CrossEntropyBegin(dc->X[BLP_TRAIN], PETSC_FALSE, out));
  out->label = dc->label;
  if (weighted) out->weight = dc->weight;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_DataClean(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  const DataClean *dc = (const DataClean *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(CrossEntropyBegin(dc->X[BLP_VAL], PETSC_FALSE, &out));
  PetscCall(CrossEntropyMean(dc->X[BLP_VAL], w, dc->Z[BLP_VAL], &out, E, g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_DataClean(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  DataClean *dc = (DataClean *)blp->data;
  const PetscReal delta = DataCleanDecay_Private(dc);
  CrossEntropy out;
  PetscScalar square;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, lambda));
  PetscCall(DataCleanBegin_Private(dc, PETSC_TRUE, &out));
  PetscCall(CrossEntropyMean(dc->X[BLP_TRAIN], w, dc->Z[BLP_TRAIN], &out, l, g));
  PetscCall(VecAXPY(g, delta, w));
  if (!l) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDot(w, w, &square));
  *l += delta / 2 * PetscRealPart(square);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_DataClean(BLP blp, Vec lambda, Vec w)
{
  DataClean *dc = (DataClean *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  PetscCall(DataCleanBegin_Private(dc, PETSC_FALSE, &out));
  PetscCall(CrossEntropyOutputs(dc->X[BLP_TRAIN], w, dc->P, &out));
  dc->at = lambda;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_DataClean(BLP blp, Vec v, Vec y)
{
  DataClean *dc = (DataClean *)blp->data;
  const FeatureMat X = dc->X[BLP_TRAIN];
  CrossEntropyPoint at = {.c = dc->c, .weight = dc->weight};
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, dc->at)); /* others may have asked at another lambda since */
  PetscCall(FeatureMatGetSizes(X, &n, NULL, NULL));
  at.n = (PetscReal)n;
  PetscCall(VecGetArrayRead(dc->P, &at.P));
  PetscCall(FeatureMatMultThrough_Private(X, v, CrossEntropyHessianRows, &at, dc->Z[BLP_TRAIN], y));
  PetscCall(VecRestoreArrayRead(dc->P, &at.P));
  PetscCall(VecAXPY(y, DataCleanDecay_Private(dc), v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* X^T squared by entries times s * P (1 - P) / n, and delta. */
static PetscErrorCode BLPLossHessianDiagonal_DataClean(BLP blp, Vec d)
{
  DataClean *dc = (DataClean *)blp->data;
  const Vec Z = dc->Z[BLP_TRAIN];
  const PetscScalar *p;
  PetscScalar *z;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, dc->at));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(VecGetArrayRead(dc->P, &p));
  PetscCall(VecGetArrayWrite(Z, &z));
  for (PetscInt m = 0; m < dc->n * dc->c; m++)
    z[m] = dc->weight[m / dc->c] * p[m] * (1 - p[m]) / (PetscReal)n;
  PetscCall(VecRestoreArrayWrite(Z, &z));
  PetscCall(VecRestoreArrayRead(dc->P, &p));
  PetscCall(FeatureMatMultTransposeSquared(dc->X[BLP_TRAIN], Z, d));
  PetscCall(VecShift(d, DataCleanDecay_Private(dc)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_DataClean(BLP blp, Vec u, Vec y)
{
  DataClean *dc = (DataClean *)blp->data;
  const Vec Z = dc->Z[BLP_TRAIN];
  const PetscScalar *a, *p;
  PetscScalar *z;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, dc->at));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(VecGetArrayRead(u, &a));
  PetscCall(VecGetArrayRead(dc->P, &p));
  PetscCall(VecGetArrayWrite(Z, &z));
  for (PetscInt i = 0; i < dc->n; i++) {
    const PetscReal scale = dc->rate[i] * a[i] / (PetscReal)n;
    for (PetscInt k = 0; k < dc->c; k++)
      z[i * dc->c + k] = scale * (p[i * dc->c + k] - (k == dc->label[i] ? 1 : 0));
  }
  PetscCall(VecRestoreArrayWrite(Z, &z));
  PetscCall(VecRestoreArrayRead(dc->P, &p));
  PetscCall(VecRestoreArrayRead(u, &a));
  PetscCall(PetscLogFlops(2.0 * (double)dc->n * (double)dc->c));
  PetscCall(FeatureMatMultTranspose(dc->X[BLP_TRAIN], Z, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_DataClean(BLP blp, Vec v, Vec g)
{
  DataClean *dc = (DataClean *)blp->data;
  const Vec Z = dc->Z[BLP_TRAIN];
  const PetscScalar *p, *z;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, dc->at));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(FeatureMatMult(dc->X[BLP_TRAIN], v, Z));
  PetscCall(VecGetArrayRead(Z, &z));
  PetscCall(VecGetArrayRead(dc->P, &p));
  PetscCall(VecGetArrayWrite(g, &a));
  for (PetscInt i = 0; i < dc->n; i++) {
    PetscReal sum = -z[i * dc->c + dc->label[i]];
    for (PetscInt k = 0; k < dc->c; k++) sum += p[i * dc->c + k] * z[i * dc->c + k];
    a[i] = dc->rate[i] * sum / (PetscReal)n;
  }
  PetscCall(VecRestoreArrayWrite(g, &a));
  PetscCall(VecRestoreArrayRead(dc->P, &p));
  PetscCall(VecRestoreArrayRead(Z, &z));
  PetscCall(PetscLogFlops(2.0 * (double)dc->n * (double)dc->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of the training samples by the labels that the lower level sees, each with weight 1. */
static PetscErrorCode BLPEvaluate_DataClean(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  const DataClean *dc = (const DataClean *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(CrossEntropyBegin(dc->X[set], PETSC_TRUE, &out));
  if (set == BLP_TRAIN) out.label = dc->label;
  PetscCall(CrossEntropyMeasure(dc->X[set], w, dc->Z[set], &out, metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode Reset(BLP blp)
{
  DataClean *dc = (DataClean *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    PetscCall(FeatureMatDestroy(&dc->X[s]));
    PetscCall(VecDestroy(&dc->Z[s]));
  }
  PetscCall(VecDestroy(&dc->P));
  PetscCall(VecDestroy(&dc->lambda));
  PetscCall(VecDestroy(&dc->w));
  PetscCall(PetscFree(dc->label));
  PetscCall(PetscFree2(dc->weight, dc->rate));
  dc->seen = (TwofoldSeen){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* lambda beside the training samples, and what goes with each of them. */
static PetscErrorCode LayOut(BLP blp)
{
  DataClean *dc = (DataClean *)blp->data;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetLabels(dc->X[BLP_TRAIN], &dc->n, NULL));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &blp->nlambda, NULL, NULL));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), &dc->lambda));
  PetscCall(VecSetSizes(dc->lambda, dc->n, blp->nlambda));
  PetscCall(VecSetFromOptions(dc->lambda));
  PetscCall(PetscMalloc1(dc->n + 1, &dc->label));
  PetscCall(PetscMalloc2(dc->n + 1, &dc->weight, dc->n + 1, &dc->rate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_DataClean(BLP blp)
{
  DataClean *dc = (DataClean *)blp->data;
  PetscInt rows = PETSC_DECIDE;

  PetscFunctionBegin;
  PetscCheck(!blp->is_fold, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "-blp_type dataclean: folds have different training samples, and lambda has an entry for each: "
             "use -blp_split");
  PetscCheck(
      blp->tie.kind == BLP_TIE_OWN || blp->tie.kind == BLP_TIE_SCALAR, PetscObjectComm((PetscObject)blp),
      PETSC_ERR_SUP,
      "-blp_lambda_tie %s: the lambda of problem dataclean has an entry a training sample, and neither "
      "features nor classes; take own or scalar",
      BLPTies[blp->tie.kind]);
  PetscCall(Reset(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, &dc->p, &dc->c));
  for (int s = 0; s < 3; s++) {
    if (!blp->set[s]) continue;
    PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[s], rows, dc->c, PETSC_FALSE, &dc->X[s]));
    PetscCall(DataSetDestroy(&blp->set[s])); /* before the next set is dealt out */
    PetscCall(FeatureMatCreateVecs(dc->X[s], NULL, &dc->Z[s]));
    PetscCall(FeatureMatGetLocalFeatures(dc->X[s], &rows)); /* the training samples come first */
  }
  PetscCall(VecDuplicate(dc->Z[BLP_TRAIN], &dc->P));
  PetscCall(FeatureMatCreateVecs(dc->X[BLP_TRAIN], &dc->w, NULL));
  PetscCall(VecGetSize(dc->w, &blp->nw));
  PetscCall(LayOut(blp));
  PetscCall(DataCleanCorrupt_Private(dc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_DataClean(BLP blp, Vec *lambda, Vec *w)
{
  const DataClean *dc = (const DataClean *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(dc->lambda, lambda));
  if (w) PetscCall(VecDuplicate(dc->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_DataClean(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  DataClean *dc = (DataClean *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-blp_dataclean_corrupt", "Fraction of the training labels to spoil",
                             "BLPDATACLEAN", dc->corrupt, &dc->corrupt, NULL));
  PetscCall(PetscOptionsInt("-blp_dataclean_seed", "Key of which labels are spoilt, and how", "BLPDATACLEAN",
                            dc->seed, &dc->seed, NULL));
  PetscCall(PetscOptionsReal("-blp_dataclean_beta", "BETA of BETA/(2 c p) ||w||^2 in the lower level",
                             "BLPDATACLEAN", dc->beta, &dc->beta, NULL));
  PetscCall(
      PetscOptionsEnum("-blp_dataclean_start",
                       "Starting weights: 1/2, 1, or 1 where the label is right and 0 where it is spoilt",
                       "BLPDATACLEAN", starts, (PetscEnum)dc->start, (PetscEnum *)&dc->start, NULL));
  PetscCheck(dc->corrupt >= 0 && dc->corrupt <= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_dataclean_corrupt %g: must be in [0, 1]", (double)dc->corrupt);
  PetscCheck(dc->beta > 0 && !PetscIsInfReal(dc->beta), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_dataclean_beta %g: must be positive and finite", (double)dc->beta);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_DataClean(BLP blp, PetscViewer viewer)
{
  const DataClean *dc = (const DataClean *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "classes %" PetscInt_FMT ", features %" PetscInt_FMT ", beta %g\n",
                                   dc->c, dc->p, (double)dc->beta));
  for (int s = 0; s < 3; s++) {
    PetscInt n;
    if (!dc->X[s]) continue;
    PetscCall(FeatureMatGetSizes(dc->X[s], &n, NULL, NULL));
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s], n));
  }
  if (dc->X[BLP_TRAIN])
    PetscCall(PetscViewerASCIIPrintf(viewer, "spoilt labels: %" PetscInt_FMT " (seed %" PetscInt_FMT ")\n",
                                     dc->wrong, dc->seed));
  PetscCall(PetscViewerASCIIPrintf(viewer, "start: %s\n", starts[dc->start]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_DataClean(BLP blp, PetscLogDouble *bytes)
{
  const DataClean *dc = (const DataClean *)blp->data;
  PetscLogDouble part;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!dc->X[s]) continue;
    PetscCall(FeatureMatGetMemory(dc->X[s], &part));
    PetscCall(VecGetLocalSize(dc->Z[s], &n));
    *bytes += part + (PetscLogDouble)n * sizeof(PetscScalar) * (s == BLP_TRAIN ? 2 : 1);
  }
  PetscCall(VecGetLocalSize(dc->w, &n));
  *bytes += (PetscLogDouble)(n + 3 * dc->n) * sizeof(PetscScalar) + (PetscLogDouble)dc->n * sizeof(PetscInt);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_DataClean(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(Reset(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

/* Features and classes, which the group has already, are all that predictions need; lambda's length is for
   who reads it. */
static PetscErrorCode BLPSaveModel_DataClean(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "samples", blp->nlambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples. */
static PetscErrorCode BLPLoadModel_DataClean(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  DataClean *dc = (DataClean *)blp->data;
  PetscInt rows = PETSC_DECIDE;
  PetscInt64 samples;

  PetscFunctionBegin;
  PetscCall(Reset(blp));
  PetscCall(TwofoldGroupGetInt(group, "samples", &samples));
  PetscCheck(samples > 0 && samples <= PETSC_MAX_INT, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a model of problem dataclean of %" PetscInt64_FMT " samples: the file is damaged",
             TwofoldGroupPath(group), samples);
  blp->nlambda = (PetscInt)samples;
  PetscCall(DataSetGetSizes(blp->like, NULL, &dc->p, &dc->c));
  PetscCall(PetscIntMultError(dc->p, dc->c, &blp->nw));
  PetscCall(PetscSplitOwnership(comm, &rows, &dc->p));
  PetscCall(VecCreate(comm, &dc->w));
  PetscCall(VecSetSizes(dc->w, rows * dc->c, blp->nw));
  PetscCall(VecSetBlockSize(dc->w, dc->c));
  PetscCall(VecSetFromOptions(dc->w));
  PetscCall(VecCreate(comm, &dc->lambda));
  PetscCall(VecSetSizes(dc->lambda, PETSC_DECIDE, blp->nlambda));
  PetscCall(VecSetFromOptions(dc->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPPredict_DataClean(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z,
                                           BLPMetrics *metrics)
{
  const PetscInt c = ((const DataClean *)blp->data)->c;
  PetscInt n;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(VecGetLocalSize(w, &n));
  PetscCall(CrossEntropyPredict(blp, ds, n / c, c, PETSC_FALSE, w, Z, metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_DataClean(BLP blp)
{
  DataClean *dc;

  PetscFunctionBegin;
  PetscCall(PetscNew(&dc));
  dc->beta = 1;
  blp->data = dc;
  blp->needs_samples = PETSC_TRUE;
  blp->ops->setfromoptions = BLPSetFromOptions_DataClean;
  blp->ops->setup = BLPSetUp_DataClean;
  blp->ops->view = BLPView_DataClean;
  blp->ops->destroy = BLPDestroy_DataClean;
  blp->ops->createvecs = BLPCreateVecs_DataClean;
  blp->ops->start = BLPStart_DataClean;
  blp->ops->upper = BLPUpper_DataClean;
  blp->ops->lossgradient = BLPLossGradient_DataClean;
  blp->ops->losslinearize = BLPLossLinearize_DataClean;
  blp->ops->losshessian = BLPLossHessian_DataClean;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_DataClean;
  blp->ops->losscross = BLPLossCross_DataClean;
  blp->ops->losscrosstranspose = BLPLossCrossTranspose_DataClean;
  blp->ops->strongconvexity = BLPStrongConvexity_DataClean;
  blp->ops->smoothness = BLPSmoothness_DataClean;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_DataClean;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_DataClean;
  blp->ops->losslipschitz = BLPLossLipschitz_DataClean;
  blp->ops->evaluate = BLPEvaluate_DataClean;
  blp->ops->memory = BLPGetMemory_DataClean;
  blp->ops->savemodel = BLPSaveModel_DataClean;
  blp->ops->loadmodel = BLPLoadModel_DataClean;
  blp->ops->predict = BLPPredict_DataClean;
  PetscFunctionReturn(PETSC_SUCCESS);
}
