/*
  distill: the training data themselves are learnt: a few images whose model does well on all samples.

    l(w, lambda) = 1/m sum_i CE(y_i, W^T x_i) + beta/(2 c p) ||W||^2      (the m images, columns of lambda)
    E(w)         = 1/n' sum_i CE(y'_i, W^T x'_i)                         (validation samples)

  lambda is p x m, a block of m columns by features, laid out as W, which is p x c. Image i is of class i mod
  c, for ever. With S = lambda^T W (m x c, on every rank), R = (softmax(S) - Y) / m, H[T] the Hessian of the
  mean cross-entropy in S times T, and delta = beta / (c p):

    grad_w l                        = lambda R + delta W
    (grad^2_ww l) V                 = lambda H[lambda^T V] + delta V
    (d/dlambda grad_w l) U          = U R + lambda H[U^T W]
    (d/dlambda grad_w l)^T V        = V R^T + W H[lambda^T V]^T

  so that a step of the lower level is two products with the rank's rows and one sum of m c numbers, whatever
  the number of samples. These are met in the upper level alone, in one pass for each hypergradient. The
  training samples are at most where the images start, and are dropped after set-up.
*/
#include "distill.h"
/* after PETSc's own */
#include <petscblaslapack.h>

static const char *const starts[] = {"zero", "mean", "sample", "DistillStart", "DISTILL_", NULL};

/* ------------------------------------------------------------------ products of blocks by features */

/* out = A^T B on every rank. */
PetscErrorCode DistillInner_Private(PetscInt m, Vec A, PetscInt k, Vec B, PetscScalar out[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)A);
  const PetscScalar *a, *b, one = 1, zero = 0;
  PetscInt n;
  PetscBLASInt columns[2], rows;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(A, &n));
  PetscCall(PetscBLASIntCast(m, &columns[0]));
  PetscCall(PetscBLASIntCast(k, &columns[1]));
  PetscCall(PetscBLASIntCast(n / m, &rows));
  PetscCall(VecGetArrayRead(A, &a));
  PetscCall(VecGetArrayRead(B, &b));
  if (rows)
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &columns[1], &columns[0], &rows, &one, b, &columns[1], a,
                                        &columns[0], &zero, out, &columns[1]));
  else
    PetscCall(PetscArrayzero(out, m * k));
  PetscCall(VecRestoreArrayRead(B, &b));
  PetscCall(VecRestoreArrayRead(A, &a));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)k));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, out, (PetscMPIInt)(m * k), MPIU_SCALAR, MPIU_SUM, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Y += A M, or A M^T, for a small M on every rank, of blocks A of ka and Y of ky columns. */
static PetscErrorCode AddProduct(PetscInt ka, Vec A, const PetscScalar M[], PetscBool transposed, PetscInt ky,
                                 Vec Y)
{
  const PetscScalar *a, one = 1;
  PetscScalar *y;
  PetscInt n;
  PetscBLASInt from, to, rows;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(A, &n));
  PetscCall(PetscBLASIntCast(ka, &from));
  PetscCall(PetscBLASIntCast(ky, &to));
  PetscCall(PetscBLASIntCast(n / ka, &rows));
  PetscCall(VecGetArrayRead(A, &a));
  PetscCall(VecGetArray(Y, &y));
  if (rows)
    PetscCallBLAS("BLASgemm", BLASgemm_(transposed ? "T" : "N", "N", &to, &rows, &from, &one, M,
                                        transposed ? &from : &to, a, &from, &one, y, &to));
  PetscCall(VecRestoreArray(Y, &y));
  PetscCall(VecRestoreArrayRead(A, &a));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)ky));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = delta v */
static PetscErrorCode Decay(const Distill *ds, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(v, y));
  PetscCall(VecScale(y, DistillDecay_Private(ds)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

CrossEntropy DistillBegin_Private(const Distill *ds, PetscBool count)
{
  return (CrossEntropy){.c = ds->c, .label = ds->label, .n = (PetscReal)ds->m, .count = count};
}

static PetscErrorCode BLPUpper_Distill(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  const Distill *ds = (const Distill *)blp->data;
  CrossEntropy out;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(CrossEntropyBegin(ds->X[BLP_VAL], PETSC_FALSE, &out));
  PetscCall(CrossEntropyMean(ds->X[BLP_VAL], w, ds->Z[BLP_VAL], &out, E, g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_Distill(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  const Distill *ds = (const Distill *)blp->data;
  CrossEntropy out = DistillBegin_Private(ds, PETSC_FALSE);
  PetscScalar square;

  PetscFunctionBegin;
  PetscCall(DistillInner_Private(ds->m, lambda, ds->c, w, ds->T));
  PetscCall(CrossEntropyGradientRows(&out, 0, ds->m, ds->T));
  PetscCall(Decay(ds, w, g));
  PetscCall(AddProduct(ds->m, lambda, ds->T, PETSC_FALSE, ds->c, g));
  if (!l) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDot(w, w, &square));
  *l = out.loss / out.n + DistillDecay_Private(ds) / 2 * PetscRealPart(square);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_Distill(BLP blp, Vec lambda, Vec w)
{
  Distill *ds = (Distill *)blp->data;
  CrossEntropy out = DistillBegin_Private(ds, PETSC_FALSE);

  PetscFunctionBegin;
  PetscCall(DistillInner_Private(ds->m, lambda, ds->c, w, ds->P));
  PetscCall(PetscArraycpy(ds->R, ds->P, ds->m * ds->c));
  PetscCall(CrossEntropySoftmaxRows(&out, 0, ds->m, ds->P));
  PetscCall(CrossEntropyGradientRows(&out, 0, ds->m, ds->R));
  ds->at = lambda;
  ds->at_w = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ds->T <- H[A^T B] */
static PetscErrorCode Bend(const Distill *ds, Vec A, Vec B)
{
  CrossEntropyPoint at = {.c = ds->c, .P = ds->P, .n = (PetscReal)ds->m};

  PetscFunctionBegin;
  PetscCall(DistillInner_Private(ds->m, A, ds->c, B, ds->T));
  PetscCall(CrossEntropyHessianRows(&at, 0, ds->m, ds->T));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_Distill(BLP blp, Vec v, Vec y)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  PetscCall(Bend(ds, ds->at, v));
  PetscCall(Decay(ds, v, y));
  PetscCall(AddProduct(ds->m, ds->at, ds->T, PETSC_FALSE, ds->c, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* lambda squared by entries times P (1 - P) / m, and delta. */
static PetscErrorCode BLPLossHessianDiagonal_Distill(BLP blp, Vec d)
{
  const Distill *ds = (const Distill *)blp->data;
  const PetscInt c = ds->c, m = ds->m;
  const PetscScalar *x;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecSet(d, DistillDecay_Private(ds)));
  PetscCall(VecGetLocalSize(d, &n));
  PetscCall(VecGetArrayRead(ds->at, &x));
  PetscCall(VecGetArray(d, &a));
  for (PetscInt j = 0; j < n / c; j++)
    for (PetscInt i = 0; i < m; i++)
      for (PetscInt k = 0; k < c; k++) {
        const PetscScalar p = ds->P[i * c + k];
        a[j * c + k] += x[j * m + i] * x[j * m + i] * p * (1 - p) / (PetscReal)m;
      }
  PetscCall(VecRestoreArray(d, &a));
  PetscCall(VecRestoreArrayRead(ds->at, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_Distill(BLP blp, Vec u, Vec y)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  PetscCall(Bend(ds, u, ds->at_w));
  PetscCall(VecZeroEntries(y));
  PetscCall(AddProduct(ds->m, u, ds->R, PETSC_FALSE, ds->c, y));
  PetscCall(AddProduct(ds->m, ds->at, ds->T, PETSC_FALSE, ds->c, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_Distill(BLP blp, Vec v, Vec g)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  PetscCall(Bend(ds, ds->at, v));
  PetscCall(VecZeroEntries(g));
  PetscCall(AddProduct(ds->c, v, ds->R, PETSC_TRUE, ds->m, g));
  PetscCall(AddProduct(ds->c, ds->at_w, ds->T, PETSC_TRUE, ds->m, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of the images where the training samples are asked for. */
static PetscErrorCode BLPEvaluate_Distill(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  const Distill *ds = (const Distill *)blp->data;
  CrossEntropy out = DistillBegin_Private(ds, PETSC_TRUE);

  PetscFunctionBegin;
  if (set != BLP_TRAIN) {
    PetscCall(CrossEntropyBegin(ds->X[set], PETSC_TRUE, &out));
    PetscCall(CrossEntropyMeasure(ds->X[set], w, ds->Z[set], &out, metrics));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(DistillInner_Private(ds->m, lambda, ds->c, w, ds->T));
  PetscCall(CrossEntropySoftmaxRows(&out, 0, ds->m, ds->T));
  *metrics = (BLPMetrics){.loss = out.loss / out.n, .accuracy = out.right / out.n, .n = ds->m};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

PetscErrorCode DistillReset_Private(BLP blp)
{
  Distill *ds = (Distill *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    PetscCall(FeatureMatDestroy(&ds->X[s]));
    PetscCall(VecDestroy(&ds->Z[s]));
  }
  PetscCall(VecDestroy(&ds->images));
  PetscCall(VecDestroy(&ds->w));
  PetscCall(PetscFree(ds->label));
  PetscCall(PetscFree4(ds->P, ds->R, ds->T, ds->gram));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateBlock(MPI_Comm comm, PetscInt rows, PetscInt p, PetscInt k, Vec *v)
{
  PetscInt size = 0;

  PetscFunctionBegin;
  PetscCall(PetscIntMultError(p, k, &size));
  PetscCall(VecCreate(comm, v));
  PetscCall(VecSetSizes(*v, rows * k, size));
  PetscCall(VecSetBlockSize(*v, k));
  PetscCall(VecSetFromOptions(*v));
  PetscCall(VecZeroEntries(*v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DistillLayOut_Private(BLP blp, PetscInt rows)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Distill *ds = (Distill *)blp->data;
  PetscMPIInt count;
  PetscInt small;

  PetscFunctionBegin;
  PetscCall(PetscIntMultError(ds->each, ds->c, &ds->m));
  PetscCall(PetscIntMultError(ds->m, PetscMax(ds->m, ds->c), &small));
  PetscCall(PetscMPIIntCast(small, &count)); /* they are summed over the ranks in one message */
  PetscCall(CreateBlock(comm, rows, ds->p, ds->m, &ds->images));
  PetscCall(CreateBlock(comm, rows, ds->p, ds->c, &ds->w));
  PetscCall(VecGetSize(ds->images, &blp->nlambda));
  PetscCall(VecGetSize(ds->w, &blp->nw));
  PetscCall(PetscMalloc1(ds->m, &ds->label));
  for (PetscInt i = 0; i < ds->m; i++) ds->label[i] = i % ds->c;
  PetscCall(PetscMalloc4(ds->m * ds->c, &ds->P, ds->m * ds->c, &ds->R, ds->m * ds->c, &ds->T, ds->m * ds->m,
                         &ds->gram));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_Distill(BLP blp)
{
  Distill *ds = (Distill *)blp->data;
  PetscInt rows = PETSC_DECIDE;

  PetscFunctionBegin;
  PetscCheck(
      blp->tie.kind != BLP_TIE_FEATURE && blp->tie.kind != BLP_TIE_SCALAR, PetscObjectComm((PetscObject)blp),
      PETSC_ERR_SUP,
      "-blp_lambda_tie %s: all images of problem distill would be the same, which tell no classes apart "
      "whatever they are; take own or class",
      BLPTies[blp->tie.kind]);
  PetscCall(DistillReset_Private(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, &ds->p, &ds->c));
  if (ds->start == DISTILL_ZERO) PetscCall(DataSetDestroy(&blp->set[BLP_TRAIN])); /* nobody needs them */
  for (int s = BLP_VAL; s <= BLP_TEST; s++) {
    if (!blp->set[s]) continue;
    PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[s], rows, ds->c, PETSC_FALSE, &ds->X[s]));
    PetscCall(DataSetDestroy(&blp->set[s])); /* before the next set is dealt out */
    PetscCall(FeatureMatCreateVecs(ds->X[s], NULL, &ds->Z[s]));
    PetscCall(FeatureMatGetLocalFeatures(ds->X[s], &rows)); /* the validation samples come first */
  }
  PetscCall(DistillLayOut_Private(blp, rows));
  if (ds->start != DISTILL_ZERO) PetscCall(DistillMakeStart_Private(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_Distill(BLP blp, Vec *lambda, Vec *w)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(ds->images, lambda));
  if (w) PetscCall(VecDuplicate(ds->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPStart_Distill(BLP blp, Vec lambda)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  if (ds->start == DISTILL_ZERO) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(ds->images && !blp->tie.T, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "-blp_distill_start %s: a tied lambda, or folds, have no place for images of samples; take zero",
             starts[ds->start]);
  PetscCall(VecCopy(ds->images, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_Distill(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Distill *ds = (Distill *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-blp_distill_images", "Learned images a class", "BLPDISTILL", ds->each,
                            &ds->each, NULL));
  PetscCall(PetscOptionsReal("-blp_distill_beta", "BETA of BETA/(2 c p) ||w||^2 in the lower level",
                             "BLPDISTILL", ds->beta, &ds->beta, NULL));
  PetscCall(PetscOptionsEnum("-blp_distill_start", "Starting images: 0, means, or samples", "BLPDISTILL",
                             starts, (PetscEnum)ds->start, (PetscEnum *)&ds->start, NULL));
  PetscCheck(ds->each >= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_distill_images %" PetscInt_FMT ": must be at least 1", ds->each);
  PetscCheck(ds->beta > 0 && !PetscIsInfReal(ds->beta), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_distill_beta %g: must be positive and finite", (double)ds->beta);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_Distill(BLP blp, PetscViewer viewer)
{
  const Distill *ds = (const Distill *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "classes %" PetscInt_FMT ", features %" PetscInt_FMT ", beta %g\n",
                                   ds->c, ds->p, (double)ds->beta));
  PetscCall(PetscViewerASCIIPrintf(viewer, "train: %" PetscInt_FMT " images, which are lambda; start %s\n",
                                   ds->m, starts[ds->start]));
  for (int s = BLP_VAL; s <= BLP_TEST; s++) {
    PetscInt n;
    if (!ds->X[s]) continue;
    PetscCall(FeatureMatGetSizes(ds->X[s], &n, NULL, NULL));
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s], n));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Distill(BLP blp, PetscLogDouble *bytes)
{
  const Distill *ds = (const Distill *)blp->data;
  PetscLogDouble part;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!ds->X[s]) continue;
    PetscCall(FeatureMatGetMemory(ds->X[s], &part));
    PetscCall(VecGetLocalSize(ds->Z[s], &n));
    *bytes += part + (PetscLogDouble)n * sizeof(PetscScalar);
  }
  PetscCall(VecGetLocalSize(ds->images, &n));
  *bytes += (PetscLogDouble)n * sizeof(PetscScalar);
  PetscCall(VecGetLocalSize(ds->w, &n));
  *bytes += (PetscLogDouble)n * sizeof(PetscScalar);
  *bytes += (PetscLogDouble)ds->m * (PetscLogDouble)(3 * ds->c + ds->m) * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_Distill(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(DistillReset_Private(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_Distill(BLP blp)
{
  Distill *ds;

  PetscFunctionBegin;
  PetscCall(PetscNew(&ds));
  ds->each = 1;
  ds->beta = 1;
  blp->data = ds;
  blp->needs_samples = PETSC_TRUE;
  blp->ops->setfromoptions = BLPSetFromOptions_Distill;
  blp->ops->setup = BLPSetUp_Distill;
  blp->ops->view = BLPView_Distill;
  blp->ops->destroy = BLPDestroy_Distill;
  blp->ops->createvecs = BLPCreateVecs_Distill;
  blp->ops->start = BLPStart_Distill;
  blp->ops->upper = BLPUpper_Distill;
  blp->ops->lossgradient = BLPLossGradient_Distill;
  blp->ops->losslinearize = BLPLossLinearize_Distill;
  blp->ops->losshessian = BLPLossHessian_Distill;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_Distill;
  blp->ops->losscross = BLPLossCross_Distill;
  blp->ops->losscrosstranspose = BLPLossCrossTranspose_Distill;
  blp->ops->strongconvexity = BLPStrongConvexity_Distill;
  blp->ops->smoothness = BLPSmoothness_Distill;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_Distill;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_Distill;
  blp->ops->losslipschitz = BLPLossLipschitz_Distill;
  blp->ops->evaluate = BLPEvaluate_Distill;
  blp->ops->memory = BLPGetMemory_Distill;
  blp->ops->savemodel = BLPSaveModel_Distill;
  blp->ops->loadmodel = BLPLoadModel_Distill;
  blp->ops->predict = BLPPredict_Distill;
  PetscFunctionReturn(PETSC_SUCCESS);
}
