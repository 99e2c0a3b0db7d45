/*
  biasedreg: least squares with a bias lambda towards which the weights are drawn.

    l(w, lambda) = 1/2 ||X w - y||^2 + beta/2 ||w - lambda||^2      (training samples, targets y)
    E(w)         = 1/2 ||X' w - y'||^2                              (validation samples)

  lambda in R^p, laid out as w; beta > 0 is fixed (-blp_biasedreg_beta).

    grad_w l                 = X^T (X w - y) + beta (w - lambda)
    (grad^2_ww l) v          = X^T X v + beta v
    (d/dlambda grad_w l) u   = -beta u, and its transpose the same

  Constants: mu = beta and L = ||X||^2 + beta, whose gradients in lambda are 0; second derivatives do not
  depend on w: nu1 = nu2 = 0, and L_Phi = beta; eta1 = ||X'||^2, eta2 = 0.
*/
#include "linear.h"

typedef struct {
  LinearModel linear; /* first: see linear.h */
  PetscReal beta;
} BiasedReg;

/* Samples on their way, and the sum of the squares of their residuals on this rank. */
typedef struct {
  const PetscReal *y;
  PetscReal sum;
} Outputs;

/* z <- z - y */
static PetscErrorCode ResidualRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  Outputs *const out = (Outputs *)ctx;
  PetscReal sum = 0;

  PetscFunctionBegin;
#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < rows; i++) {
    z[i] -= out->y[first + i];
    sum += z[i] * z[i];
  }
  out->sum += sum;
  PetscCall(PetscLogFlops(3.0 * (double)rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Z <- X w - y of samples; 1/2 ||Z||^2 over all of them, and X^T Z, where not NULL. Collective. */
static PetscErrorCode Residual(FeatureMat X, Vec w, Vec Z, PetscReal *half, Vec g)
{
  Outputs out = {.sum = 0};

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(X, NULL, &out.y));
  if (g) {
    PetscCall(FeatureMatMultThrough_Private(X, w, ResidualRows, &out, Z, g));
  } else {
    PetscCall(FeatureMatMult(X, w, Z));
    PetscCall(FeatureMatMapRows_Private(X, ResidualRows, &out, Z));
  }
  if (!half) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &out.sum, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)X)));
  *half = out.sum / 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* z as it is */
static PetscErrorCode SameRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  PetscFunctionBegin;
  (void)ctx, (void)first, (void)rows, (void)z;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_BiasedReg(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  LinearModel *m = (LinearModel *)blp->data;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(Residual(m->X[BLP_VAL], w, m->Z[BLP_VAL], E, g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g += beta (w - lambda); returns beta/2 ||w - lambda||^2 of this rank. */
static PetscErrorCode AddBias(PetscReal beta, Vec w, Vec lambda, Vec g, PetscReal *half)
{
  const PetscScalar *a, *b;
  PetscScalar *r;
  PetscReal sum = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(g, &n));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(VecGetArrayRead(lambda, &b));
  PetscCall(VecGetArray(g, &r));
  for (PetscInt j = 0; j < n; j++) {
    r[j] += beta * (a[j] - b[j]);
    sum += PetscSqr(a[j] - b[j]);
  }
  PetscCall(VecRestoreArray(g, &r));
  PetscCall(VecRestoreArrayRead(lambda, &b));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(PetscLogFlops(5.0 * (double)n));
  *half = beta / 2 * sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_BiasedReg(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  BiasedReg *br = (BiasedReg *)blp->data;
  LinearModel *m = &br->linear;
  PetscReal half;

  PetscFunctionBegin;
  PetscCall(Residual(m->X[BLP_TRAIN], w, m->Z[BLP_TRAIN], l, g));
  PetscCall(AddBias(br->beta, w, lambda, g, &half));
  if (!l) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &half, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  *l += half;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Second derivatives are the same everywhere. */
static PetscErrorCode BLPLossLinearize_BiasedReg(BLP blp, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  (void)blp, (void)lambda, (void)w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_BiasedReg(BLP blp, Vec v, Vec y)
{
  BiasedReg *br = (BiasedReg *)blp->data;
  LinearModel *m = &br->linear;

  PetscFunctionBegin;
  PetscCall(FeatureMatMultThrough_Private(m->X[BLP_TRAIN], v, SameRows, NULL, m->Z[BLP_TRAIN], y));
  PetscCall(VecAXPY(y, br->beta, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessianDiagonal_BiasedReg(BLP blp, Vec d)
{
  BiasedReg *br = (BiasedReg *)blp->data;
  LinearModel *m = &br->linear;

  PetscFunctionBegin;
  PetscCall(VecSet(m->Z[BLP_TRAIN], 1));
  PetscCall(FeatureMatMultTransposeSquared(m->X[BLP_TRAIN], m->Z[BLP_TRAIN], d));
  PetscCall(VecShift(d, br->beta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_BiasedReg(BLP blp, Vec u, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecAXPBY(y, -((BiasedReg *)blp->data)->beta, 0, u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ constants */

static PetscErrorCode BLPStrongConvexity_BiasedReg(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  (void)lambda;
  *mu = (TwofoldConstant){
      .value = ((BiasedReg *)blp->data)->beta, .standing = TWOFOLD_PROVED, .origin = "beta"};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSmoothness_BiasedReg(BLP blp, Vec lambda, TwofoldConstant *L)
{
  BiasedReg *br = (BiasedReg *)blp->data;
  TwofoldConstant norm;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(FeatureMatGetNorm(br->linear.X[BLP_TRAIN], &norm));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  *L = (TwofoldConstant){.value = norm.value * norm.value + br->beta,
                         .standing = TWOFOLD_PROVED,
                         .origin = "||X||^2 + beta; ||X|| by Lanczos, its residual added",
                         .products = norm.products};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* mu and L do not depend on lambda. */
static PetscErrorCode BLPConstantGradient_BiasedReg(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  (void)blp, (void)lambda;
  PetscCall(VecZeroEntries(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLipschitz_BiasedReg(BLP blp, Vec lambda, Vec w, PetscReal radius,
                                                 BLPLipschitz *c)
{
  BiasedReg *br = (BiasedReg *)blp->data;
  TwofoldConstant val;

  PetscFunctionBegin;
  (void)lambda, (void)w, (void)radius;
  PetscCall(FeatureMatGetNorm(br->linear.X[BLP_VAL], &val));
  if (val.standing) c->eta1 = LinearModelProved(val.value * val.value, &val, "||X'||^2");
  c->eta2 = LinearModelProved(0, NULL, "0: E does not depend on lambda");
  c->nu1 = LinearModelProved(0, NULL, "0: the loss is quadratic");
  c->nu2 = LinearModelProved(0, NULL, "0: the loss is quadratic");
  c->L_Phi = LinearModelProved(br->beta, NULL, "beta");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ samples */

/* The loss is half the mean of the squared residuals; there is no accuracy. */
static PetscErrorCode BLPEvaluate_BiasedReg(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  LinearModel *m = (LinearModel *)blp->data;
  PetscReal half;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(Residual(m->X[set], w, m->Z[set], &half, NULL));
  PetscCall(FeatureMatGetSizes(m->X[set], &metrics->n, NULL, NULL));
  metrics->loss = half / (PetscReal)metrics->n;
  metrics->accuracy = (PetscReal)NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPPredict_BiasedReg(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z,
                                           BLPMetrics *metrics)
{
  FeatureMat X;
  PetscReal half;
  Vec r;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(LinearModelApply(blp, ds, w, &X, Z));
  PetscCall(VecDuplicate(*Z, &r));
  PetscCall(Residual(X, w, r, &half, NULL));
  PetscCall(FeatureMatGetSizes(X, &metrics->n, NULL, NULL));
  metrics->loss = metrics->n ? half / (PetscReal)metrics->n : (PetscReal)NAN;
  metrics->accuracy = (PetscReal)NAN;
  PetscCall(VecDestroy(&r));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLoadModel_BiasedReg(BLP blp, TwofoldGroup group)
{
  PetscInt c;

  PetscFunctionBegin;
  PetscCall(DataSetGetSizes(blp->like, NULL, NULL, &c));
  PetscCheck(!c, PetscObjectComm((PetscObject)blp), PETSC_ERR_FILE_UNEXPECTED,
             "a model of problem biasedreg with %" PetscInt_FMT " classes: the file is damaged", c);
  PetscCall(BLPLoadModel_Linear(blp, group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode BLPSetFromOptions_BiasedReg(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  BiasedReg *br = (BiasedReg *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-blp_biasedreg_beta", "beta of beta/2 ||w - lambda||^2", "BLPBIASEDREG",
                             br->beta, &br->beta, NULL));
  PetscCheck(br->beta > 0 && !PetscIsInfReal(br->beta), PetscObjectComm((PetscObject)blp),
             PETSC_ERR_ARG_OUTOFRANGE, "-blp_biasedreg_beta %g: must be positive and finite",
             (double)br->beta);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_BiasedReg(BLP blp, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(BLPView_Linear(blp, viewer));
  PetscCall(PetscViewerASCIIPrintf(viewer, "beta %g\n", (double)((BiasedReg *)blp->data)->beta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_BiasedReg(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(LinearModelReset((LinearModel *)blp->data));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_BiasedReg(BLP blp)
{
  BiasedReg *br;

  PetscFunctionBegin;
  PetscCall(PetscNew(&br));
  br->beta = 1;
  blp->data = br;
  blp->needs_samples = PETSC_TRUE;
  blp->targets = PETSC_TRUE;
  blp->ops->setfromoptions = BLPSetFromOptions_BiasedReg;
  blp->ops->setup = BLPSetUp_Linear;
  blp->ops->view = BLPView_BiasedReg;
  blp->ops->destroy = BLPDestroy_BiasedReg;
  blp->ops->createvecs = BLPCreateVecs_Linear;
  blp->ops->upper = BLPUpper_BiasedReg;
  blp->ops->lossgradient = BLPLossGradient_BiasedReg;
  blp->ops->losslinearize = BLPLossLinearize_BiasedReg;
  blp->ops->losshessian = BLPLossHessian_BiasedReg;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_BiasedReg;
  blp->ops->losscross = BLPLossCross_BiasedReg;
  blp->ops->losscrosstranspose = BLPLossCross_BiasedReg; /* -beta I is symmetric */
  blp->ops->strongconvexity = BLPStrongConvexity_BiasedReg;
  blp->ops->smoothness = BLPSmoothness_BiasedReg;
  blp->ops->strongconvexitygradient = BLPConstantGradient_BiasedReg;
  blp->ops->smoothnessgradient = BLPConstantGradient_BiasedReg;
  blp->ops->losslipschitz = BLPLossLipschitz_BiasedReg;
  blp->ops->evaluate = BLPEvaluate_BiasedReg;
  blp->ops->memory = BLPGetMemory_Linear;
  blp->ops->savemodel = BLPSaveModel_Linear;
  blp->ops->loadmodel = BLPLoadModel_BiasedReg;
  blp->ops->predict = BLPPredict_BiasedReg;
  PetscFunctionReturn(PETSC_SUCCESS);
}
