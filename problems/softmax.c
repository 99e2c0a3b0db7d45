/*
  softmax: multinomial logistic regression with one regularisation weight a feature.

    l(w, lambda) = 1/n sum_i CE(y_i, W^T x_i) + 1/(2 c p) sum_jk exp(lambda_jk) W_jk^2     (training samples)
    E(w)         = 1/n' sum_i CE(y'_i, W^T x'_i)                                         (validation samples)

  lambda_jk = lambda_j, one a feature; with -blp_lambda_tie class or weight lambda is p x c itself, laid out
  as W.

  W is p x c (row j: the c weights of feature j), CE(y, z) = logsumexp(z) - z_y. With P = softmax of the rows
  of X W:

    grad_w l              = X^T (P - Y) / n + D * W,         D_jk = exp(lambda_jk) / (c p)
    (grad^2_ww l) V       = X^T R / n + D * V,               R_i = P_i * (Z_i - <P_i, Z_i>),  Z = X V
    (d/dlambda grad_w l) u   = D * u * W
    (d/dlambda grad_w l)^T V = D * W * V, summed over k where lambda_j is shared             (*: by entries)

  one pass X V and one pass X^T R each, never a dense Hessian. The Hessian is at least mu = exp(min lambda) /
  (c p) and at most L = ||X||^2 / (2n) + exp(max lambda) / (c p).

  With -blp_bias a column of ones is appended, its c weights unpenalised. Shifting these c weights by the same
  amount changes neither l nor E, so the Hessian is singular along that shift and mu is 0: statements that
  need mu > 0 do not hold. Gradients sum to zero over the classes there, so iterations from w = 0 never move
  along the shift and converge on its complement.
*/
#include "softmax.h"
#include "crossentropy.h"

/* ------------------------------------------------------------------ sample space */

/* Mean cross-entropy of a set, where not NULL, and its gradient. Collective. */
static PetscErrorCode MeanLoss(Softmax *sm, BLPSet set, Vec w, PetscReal *loss, Vec g)
{
  CrossEntropy out;

  PetscFunctionBegin;
  PetscCall(CrossEntropyBegin(sm->X[set], PETSC_FALSE, &out));
  PetscCall(CrossEntropyMean(sm->X[set], w, sm->Z[set], &out, loss, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Z <- (softmax(Z) - Y) / n of the training samples */
static PetscErrorCode OutputGradient(BLP blp, Vec Z)
{
  const FeatureMat X = ((const Softmax *)blp->data)->X[BLP_TRAIN];
  CrossEntropy out;

  PetscFunctionBegin;
  PetscCall(CrossEntropyBegin(X, PETSC_FALSE, &out));
  PetscCall(FeatureMatMapRows_Private(X, CrossEntropyGradientRows, &out, Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ feature space */

/* D = exp(lambda) / (c p), kept until lambda changes. */
PetscErrorCode SoftmaxUpdateWeights_Private(BLP blp, Vec lambda)
{
  Softmax *sm = (Softmax *)blp->data;
  PetscObjectId id;
  PetscObjectState state;
  const PetscScalar *l;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetId((PetscObject)lambda, &id));
  PetscCall(PetscObjectStateGet((PetscObject)lambda, &state));
  if (id == sm->lambda_id && state == sm->lambda_state) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscReal scale = 1 / ((PetscReal)sm->c * (PetscReal)sm->p);
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayRead(lambda, &l));
  for (PetscInt j = 0; j < n; j++) sm->weight[j] = scale * PetscExpReal(l[j]);
  PetscCall(VecRestoreArrayRead(lambda, &l));
  sm->lambda_id = id;
  sm->lambda_state = state;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y += D * v; returns <v, D * v> of this rank. */
static PetscErrorCode AddRegulariser(const Softmax *sm, Vec v, Vec y, PetscReal *quadratic)
{
  const PetscInt share = sm->share;
  const PetscScalar *a;
  PetscScalar *b;
  PetscReal sum = 0;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArray(y, &b));
  for (PetscInt j = 0; j < sm->nweight; j++) {
    PetscReal square = 0;
#pragma omp simd reduction(+ : square)
    for (PetscInt k = 0; k < share; k++) {
      square += a[j * share + k] * a[j * share + k];
      b[j * share + k] += sm->weight[j] * a[j * share + k];
    }
    sum += sm->weight[j] * square;
  }
  PetscCall(VecRestoreArray(y, &b));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(PetscLogFlops(4.0 * (double)sm->nweight * (double)share));
  if (quadratic) *quadratic = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_Softmax(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  PetscFunctionBegin;
  (void)lambda;
  PetscCall(MeanLoss((Softmax *)blp->data, BLP_VAL, w, E, g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_Softmax(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  Softmax *sm = (Softmax *)blp->data;
  PetscReal quadratic;

  PetscFunctionBegin;
  PetscCall(SoftmaxUpdateWeights_Private(blp, lambda));
  PetscCall(MeanLoss(sm, BLP_TRAIN, w, l, g));
  PetscCall(AddRegulariser(sm, w, g, &quadratic));
  if (l) {
    PetscCall(
        MPIU_Allreduce(MPI_IN_PLACE, &quadratic, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
    *l += quadratic / 2;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_Softmax(BLP blp, Vec lambda, Vec w)
{
  Softmax *sm = (Softmax *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  PetscCall(SoftmaxUpdateWeights_Private(blp, lambda));
  PetscCall(CrossEntropyBegin(sm->X[BLP_TRAIN], PETSC_FALSE, &out));
  PetscCall(CrossEntropyOutputs(sm->X[BLP_TRAIN], w, sm->P, &out));
  sm->w = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the Hessian of the mean cross-entropy in X W is taken; P is read until it is given back. */
static PetscErrorCode PointBegin(const Softmax *sm, CrossEntropyPoint *at)
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(sm->X[BLP_TRAIN], &n, NULL, NULL));
  *at = (CrossEntropyPoint){.c = sm->c, .n = (PetscReal)n};
  PetscCall(VecGetArrayRead(sm->P, &at->P));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ApplyOutputHessian(BLP blp, Vec Z)
{
  const Softmax *sm = (const Softmax *)blp->data;
  CrossEntropyPoint at;

  PetscFunctionBegin;
  PetscCall(PointBegin(sm, &at));
  PetscCall(FeatureMatMapRows_Private(sm->X[BLP_TRAIN], CrossEntropyHessianRows, &at, Z));
  PetscCall(VecRestoreArrayRead(sm->P, &at.P));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_Softmax(BLP blp, Vec v, Vec y)
{
  Softmax *sm = (Softmax *)blp->data;
  CrossEntropyPoint at;

  PetscFunctionBegin;
  PetscCall(PointBegin(sm, &at));
  PetscCall(
      FeatureMatMultThrough_Private(sm->X[BLP_TRAIN], v, CrossEntropyHessianRows, &at, sm->Z[BLP_TRAIN], y));
  PetscCall(VecRestoreArrayRead(sm->P, &at.P));
  PetscCall(AddRegulariser(sm, v, y, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* X^T squared by entries times P (1 - P) / n, and D. */
static PetscErrorCode BLPLossHessianDiagonal_Softmax(BLP blp, Vec d)
{
  Softmax *sm = (Softmax *)blp->data;
  const Vec Z = sm->Z[BLP_TRAIN];
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(sm->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(VecPointwiseMult(Z, sm->P, sm->P));
  PetscCall(VecAYPX(Z, -1, sm->P));
  PetscCall(VecScale(Z, 1 / (PetscReal)n));
  PetscCall(FeatureMatMultTransposeSquared(sm->X[BLP_TRAIN], Z, d));
  PetscCall(VecGetArray(d, &a));
  for (PetscInt j = 0; j < sm->nweight * sm->share; j++) a[j] += sm->weight[j / sm->share];
  PetscCall(VecRestoreArray(d, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_Softmax(BLP blp, Vec u, Vec y)
{
  Softmax *sm = (Softmax *)blp->data;
  const PetscInt share = sm->share;
  const PetscScalar *a, *w;
  PetscScalar *b;
  PetscInt nlambda;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(u, &nlambda));
  PetscCall(VecZeroEntries(y)); /* the bias's row stays 0 */
  PetscCall(VecGetArrayRead(u, &a));
  PetscCall(VecGetArrayRead(sm->w, &w));
  PetscCall(VecGetArray(y, &b));
  for (PetscInt j = 0; j < nlambda; j++)
    for (PetscInt k = 0; k < share; k++) b[j * share + k] = sm->weight[j] * a[j] * w[j * share + k];
  PetscCall(VecRestoreArray(y, &b));
  PetscCall(VecRestoreArrayRead(sm->w, &w));
  PetscCall(VecRestoreArrayRead(u, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_Softmax(BLP blp, Vec v, Vec g)
{
  Softmax *sm = (Softmax *)blp->data;
  const PetscInt share = sm->share;
  const PetscScalar *a, *w;
  PetscScalar *b;
  PetscInt nlambda;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(g, &nlambda));
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArrayRead(sm->w, &w));
  PetscCall(VecGetArrayWrite(g, &b));
  for (PetscInt j = 0; j < nlambda; j++) {
    PetscReal sum = 0;
#pragma omp simd reduction(+ : sum)
    for (PetscInt k = 0; k < share; k++) sum += w[j * share + k] * a[j * share + k];
    b[j] = sm->weight[j] * sum;
  }
  PetscCall(VecRestoreArrayWrite(g, &b));
  PetscCall(VecRestoreArrayRead(sm->w, &w));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(PetscLogFlops(2.0 * (double)nlambda * (double)share));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPEvaluate_Softmax(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  Softmax *sm = (Softmax *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(CrossEntropyBegin(sm->X[set], PETSC_TRUE, &out));
  PetscCall(CrossEntropyMeasure(sm->X[set], w, sm->Z[set], &out, metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

static PetscErrorCode BLPSaveModel_Softmax(BLP blp, TwofoldGroup group)
{
  const Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "bias", sm->bias));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPPredict_Softmax(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  const Softmax *sm = (const Softmax *)blp->data;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(CrossEntropyPredict(blp, ds, sm->nweight * sm->share / sm->c, sm->c, sm->bias, w, Z, metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode BLPReset_Softmax(BLP blp)
{
  Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  PetscCall(BLPResetSweep_Private(blp));
  for (int s = 0; s < 3; s++) {
    PetscCall(FeatureMatDestroy(&sm->X[s]));
    PetscCall(VecDestroy(&sm->Z[s]));
  }
  PetscCall(VecDestroy(&sm->P));
  PetscCall(VecDestroy(&sm->lambda));
  PetscCall(PetscFree(sm->weight));
  sm->lambda_id = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Lambda and its weights, beside so many rows of w on this rank; a bias's is the last rank's last. */
static PetscErrorCode LayOut(BLP blp, PetscInt rows)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Softmax *sm = (Softmax *)blp->data;
  PetscMPIInt rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const PetscInt nfeatures = rows - (sm->bias && rank == size - 1 ? 1 : 0);
  sm->share = blp->tie.kind == BLP_TIE_CLASS || blp->tie.kind == BLP_TIE_WEIGHT ? 1 : sm->c;
  const PetscInt a_feature = sm->c / sm->share; /* entries of lambda */
  sm->nweight = rows * a_feature;
  PetscCall(PetscCalloc1(sm->nweight + 1, &sm->weight));
  blp->nlambda = sm->p * a_feature;
  PetscCall(VecCreate(comm, &sm->lambda));
  PetscCall(VecSetSizes(sm->lambda, nfeatures * a_feature, blp->nlambda));
  PetscCall(VecSetBlockSize(sm->lambda, a_feature));
  PetscCall(VecSetFromOptions(sm->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_Softmax(BLP blp)
{
  Softmax *sm = (Softmax *)blp->data;
  PetscInt rows = PETSC_DECIDE;

  PetscFunctionBegin;
  PetscCall(BLPReset_Softmax(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, &sm->p, &sm->c));
  for (int s = 0; s < 3; s++) {
    if (!blp->set[s]) continue;
    PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[s], rows, sm->c, sm->bias, &sm->X[s]));
    PetscCall(DataSetDestroy(&blp->set[s])); /* before the next set is dealt out */
    PetscCall(FeatureMatCreateVecs(sm->X[s], NULL, &sm->Z[s]));
    PetscCall(FeatureMatGetLocalFeatures(sm->X[s], &rows)); /* the training samples come first */
  }
  PetscCall(VecDuplicate(sm->Z[BLP_TRAIN], &sm->P));
  PetscCall(PetscIntMultError(sm->p + (sm->bias ? 1 : 0), sm->c, &blp->nw));
  PetscCall(LayOut(blp, rows));
  blp->linear = (BLPLinear){.X = sm->X[BLP_TRAIN],
                            .Xval = sm->X[BLP_VAL],
                            .weight = sm->weight,
                            .rate = sm->weight, /* exp' = exp */
                            .share = sm->share,
                            .weights = SoftmaxUpdateWeights_Private,
                            .slope = OutputGradient,
                            .curvature = ApplyOutputHessian};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples: as BLPSetUp_Softmax() lays them out. */
static PetscErrorCode BLPLoadModel_Softmax(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Softmax *sm = (Softmax *)blp->data;
  PetscMPIInt rank, size;
  PetscInt nfeatures = PETSC_DECIDE;
  PetscInt64 bias;

  PetscFunctionBegin;
  PetscCall(BLPReset_Softmax(blp));
  PetscCall(TwofoldGroupGetInt(group, "bias", &bias));
  PetscCall(DataSetGetSizes(blp->like, NULL, &sm->p, &sm->c));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  sm->bias = bias ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscSplitOwnership(comm, &nfeatures, &sm->p));
  if (sm->bias && rank == size - 1) nfeatures++; /* its row of w */
  PetscCall(PetscIntMultError(sm->p + (sm->bias ? 1 : 0), sm->c, &blp->nw));
  PetscCall(LayOut(blp, nfeatures));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_Softmax(BLP blp, Vec *lambda, Vec *w)
{
  Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(sm->lambda, lambda));
  if (w && sm->X[BLP_TRAIN]) {
    PetscCall(FeatureMatCreateVecs(sm->X[BLP_TRAIN], w, NULL));
  } else if (w) { /* a model without samples */
    PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), w));
    PetscCall(VecSetSizes(*w, sm->nweight * sm->share, blp->nw));
    PetscCall(VecSetBlockSize(*w, sm->c));
    PetscCall(VecSetFromOptions(*w));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_Softmax(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsBool("-blp_bias", "Append an unpenalised bias (mu is then 0)", "BLPSOFTMAX", sm->bias,
                             &sm->bias, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_Softmax(BLP blp, PetscViewer viewer)
{
  Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "classes %" PetscInt_FMT ", features %" PetscInt_FMT "%s\n", sm->c,
                                   sm->p, sm->bias ? " and an unpenalised bias (mu = 0)" : ""));
  for (int s = 0; s < 3; s++) {
    PetscInt n;
    if (!sm->X[s]) continue;
    PetscCall(FeatureMatGetSizes(sm->X[s], &n, NULL, NULL));
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s], n));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Softmax(BLP blp, PetscLogDouble *bytes)
{
  Softmax *sm = (Softmax *)blp->data;
  PetscLogDouble part;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!sm->X[s]) continue;
    PetscCall(FeatureMatGetMemory(sm->X[s], &part));
    PetscCall(VecGetLocalSize(sm->Z[s], &n));
    *bytes += part + (PetscLogDouble)n * sizeof(PetscScalar) * (s == BLP_TRAIN ? 2 : 1);
  }
  PetscCall(VecGetLocalSize(sm->lambda, &n));
  *bytes += (PetscLogDouble)(sm->nweight + n) * sizeof(PetscReal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_Softmax(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(BLPReset_Softmax(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_Softmax(BLP blp)
{
  Softmax *sm;

  PetscFunctionBegin;
  PetscCall(PetscNew(&sm));
  blp->data = sm;
  blp->needs_samples = PETSC_TRUE;
  blp->ops->setfromoptions = BLPSetFromOptions_Softmax;
  blp->ops->setup = BLPSetUp_Softmax;
  blp->ops->view = BLPView_Softmax;
  blp->ops->destroy = BLPDestroy_Softmax;
  blp->ops->createvecs = BLPCreateVecs_Softmax;
  blp->ops->upper = BLPUpper_Softmax;
  blp->ops->lossgradient = BLPLossGradient_Softmax;
  blp->ops->losslinearize = BLPLossLinearize_Softmax;
  blp->ops->losshessian = BLPLossHessian_Softmax;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_Softmax;
  blp->ops->losscross = BLPLossCross_Softmax;
  blp->ops->losscrosstranspose = BLPLossCrossTranspose_Softmax;
  blp->ops->strongconvexity = BLPStrongConvexity_Softmax;
  blp->ops->smoothness = BLPSmoothness_Softmax;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_Softmax;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_Softmax;
  blp->ops->losslipschitz = BLPLossLipschitz_Softmax;
  blp->ops->losslipschitzalong = BLPLossLipschitzAlong_Softmax;
  blp->ops->evaluate = BLPEvaluate_Softmax;
  blp->ops->memory = BLPGetMemory_Softmax;
  blp->ops->savemodel = BLPSaveModel_Softmax;
  blp->ops->loadmodel = BLPLoadModel_Softmax;
  blp->ops->predict = BLPPredict_Softmax;
  PetscFunctionReturn(PETSC_SUCCESS);
}
