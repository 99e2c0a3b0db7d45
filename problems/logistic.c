/*
  logistic: logistic regression of two classes with one regularisation weight a feature.

    l(w, lambda) = sum_i psi(y_i <x_i, w>) + 1/2 sum_j lambda_j w_j^2      (training samples)
    E(w)         = sum_i psi(y'_i <x'_i, w>)                               (validation samples)

  psi(t) = log(1 + exp(-t)), y = -1 for the first of the two classes of the training samples (the lower
  number, or the first name) and 1 for the second; lambda > 0, one a feature; sums, not means.

    grad_w l                 = X^T (y * psi'(y * X w)) + lambda * w        (*: by entries)
    (grad^2_ww l) v          = X^T (psi''(X w) * X v) + lambda * v
    (d/dlambda grad_w l) u   = w * u
    (d/dlambda grad_w l)^T v = w * v

  with psi' = -1 / (1 + exp(t)), and psi'' = exp(-|t|) / (1 + exp(-|t|))^2, which is even: y is not in it.

  Constants: mu = min lambda; psi'' <= 1/4, so L = ||X||^2 / 4 + max lambda and eta1 = ||X'||^2 / 4;
  |psi'''| <= 1 / (6 sqrt 3), so nu1 = ||X||^2 max ||x_i|| / (6 sqrt 3); nu2 = 1; within a ball around w
  ||d/dlambda grad_w l|| <= max |w_j| + radius = L_Phi; E does not depend on lambda: eta2 = 0.
*/
#include "linear.h"

typedef struct {
  LinearModel linear; /* first: see linear.h */
  Vec D;              /* psi'' at the point of linearisation */
  Vec w, lambda;      /* that point, borrowed */
  TwofoldSeen seen;   /* the lambda that is known to be positive */
  PetscReal *weight;  /* its entries on this rank */
} Logistic;

/* ------------------------------------------------------------------ sample space */

static inline PetscReal Psi(PetscReal t)
{
  return PetscMax(-t, 0) + (PetscReal)log1p(PetscExpReal(-PetscAbsReal(t)));
}

static inline PetscReal PsiSlope(PetscReal t)
{
  const PetscReal e = PetscExpReal(-PetscAbsReal(t));
  return t > 0 ? -e / (1 + e) : -1 / (1 + e);
}

static inline PetscReal PsiCurvature(PetscReal t)
{
  const PetscReal e = PetscExpReal(-PetscAbsReal(t));
  return e / PetscSqr(1 + e);
}

/* Samples on their way, and what they add up to on this rank: of those whose labels are known the sum of
   psi(y z) and, without `slope`, the number of right answers (z > 0 is the second class) and their own. */
typedef struct {
  const PetscInt *label;
  PetscBool slope; /* z <- y psi'(y z) */
  PetscReal sums[3];
} Outputs;

static PetscErrorCode LossRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  Outputs *const out = (Outputs *)ctx;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i++) {
    const PetscInt label = out->label[first + i];
    if (label > 1) continue;
    const PetscReal y = label ? 1 : -1;
    out->sums[0] += Psi(y * z[i]);
    if (out->slope) {
      z[i] = y * PsiSlope(y * z[i]);
    } else {
      out->sums[1] += (z[i] > 0) == (label == 1) ? 1 : 0;
      out->sums[2] += 1;
    }
  }
  PetscCall(PetscLogFlops(10.0 * (double)rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SumLosses(FeatureMat X, Vec Z, PetscBool slope, PetscReal sums[3])
{
  Outputs out = {.slope = slope};

  PetscFunctionBegin;
  PetscCall(FeatureMatGetLabels(X, NULL, &out.label));
  PetscCall(FeatureMatMapRows_Private(X, LossRows, &out, Z));
  PetscCall(PetscArraycpy(sums, out.sums, 3));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The sum of a set's losses and its right answers, or, where not NULL, its gradient in w. Collective. */
static PetscErrorCode SetLoss(Logistic *lr, BLPSet set, Vec w, PetscReal *loss, PetscReal *correct, Vec g)
{
  const FeatureMat X = lr->linear.X[set];
  const Vec Z = lr->linear.Z[set];
  Outputs out = {.slope = PETSC_TRUE};

  PetscFunctionBegin;
  if (g) {
    PetscCall(FeatureMatGetLabels(X, NULL, &out.label));
    PetscCall(FeatureMatMultThrough_Private(X, w, LossRows, &out, Z, g));
  } else {
    PetscCall(FeatureMatMult(X, w, Z));
    PetscCall(SumLosses(X, Z, PETSC_FALSE, out.sums));
  }
  if (loss)
    PetscCall(
        MPIU_Allreduce(MPI_IN_PLACE, out.sums, 3, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)X)));
  if (loss) *loss = out.sums[0];
  if (correct) *correct = out.sums[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Z <- y psi'(y Z) of the training samples */
static PetscErrorCode OutputGradient(BLP blp, Vec Z)
{
  PetscReal sums[3];

  PetscFunctionBegin;
  PetscCall(SumLosses(((Logistic *)blp->data)->linear.X[BLP_TRAIN], Z, PETSC_TRUE, sums));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* z <- psi'' z */
static PetscErrorCode HessianRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  const Vec D = ((Logistic *)((BLP)ctx)->data)->D;
  const PetscScalar *d;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(D, &d));
  for (PetscInt i = 0; i < rows; i++) z[i] *= d[first + i];
  PetscCall(VecRestoreArrayRead(D, &d));
  PetscCall(PetscLogFlops((double)rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode OutputHessian(BLP blp, Vec Z)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatMapRows_Private(((Logistic *)blp->data)->linear.X[BLP_TRAIN], HessianRows, blp, Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ feature space */

/* Raises where an entry of lambda is not positive, and keeps a copy; once for each lambda. */
static PetscErrorCode CheckLambda(BLP blp, Vec lambda)
{
  const PetscScalar *l;
  Logistic *lr = (Logistic *)blp->data;
  PetscReal lowest;
  PetscBool changed;
  PetscInt at, n;

  PetscFunctionBegin;
  PetscCall(TwofoldHasChanged(1, &lambda, &lr->seen, &changed));
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecMin(lambda, &at, &lowest));
  PetscCheck(!(lowest <= 0), PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE,
             "lambda_%" PetscInt_FMT
             " = %g: the regularisation weights of problem logistic must be positive; start at -blp_lambda V "
             "> 0, and keep to it by -lset_type box -lset_box_lower V, or with the problem's own bounds",
             at, (double)lowest);
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayRead(lambda, &l));
  if (lr->weight) PetscCall(PetscArraycpy(lr->weight, l, n)); /* not with a model without samples */
  PetscCall(VecRestoreArrayRead(lambda, &l));
  PetscCall(TwofoldSee(lambda, &lr->seen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y += a * b by entries; returns the sum of a b^2 on this rank, where not NULL. */
static PetscErrorCode AddProduct(Vec a, Vec b, Vec y, PetscReal *quadratic)
{
  const PetscScalar *s, *t;
  PetscScalar *r;
  PetscReal sum = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(y, &n));
  PetscCall(VecGetArrayRead(a, &s));
  PetscCall(VecGetArrayRead(b, &t));
  PetscCall(VecGetArray(y, &r));
  for (PetscInt j = 0; j < n; j++) {
    r[j] += s[j] * t[j];
    sum += s[j] * t[j] * t[j];
  }
  PetscCall(VecRestoreArray(y, &r));
  PetscCall(VecRestoreArrayRead(b, &t));
  PetscCall(VecRestoreArrayRead(a, &s));
  PetscCall(PetscLogFlops(4.0 * (double)n));
  if (quadratic) *quadratic = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_Logistic(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(SetLoss((Logistic *)blp->data, BLP_VAL, w, E, NULL, g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_Logistic(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  PetscReal quadratic;

  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(SetLoss((Logistic *)blp->data, BLP_TRAIN, w, l, NULL, g));
  PetscCall(AddProduct(lambda, w, g, &quadratic));
  if (!l) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, &quadratic, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  *l += quadratic / 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_Logistic(BLP blp, Vec lambda, Vec w)
{
  Logistic *lr = (Logistic *)blp->data;
  PetscScalar *d;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(FeatureMatMult(lr->linear.X[BLP_TRAIN], w, lr->D));
  PetscCall(VecGetLocalSize(lr->D, &n));
  PetscCall(VecGetArray(lr->D, &d));
  for (PetscInt i = 0; i < n; i++) d[i] = PsiCurvature(d[i]);
  PetscCall(VecRestoreArray(lr->D, &d));
  PetscCall(PetscLogFlops(5.0 * (double)n));
  lr->lambda = lambda;
  lr->w = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_Logistic(BLP blp, Vec v, Vec y)
{
  Logistic *lr = (Logistic *)blp->data;

  PetscFunctionBegin;
  PetscCall(FeatureMatMultThrough_Private(lr->linear.X[BLP_TRAIN], v, HessianRows, blp,
                                          lr->linear.Z[BLP_TRAIN], y));
  PetscCall(AddProduct(lr->lambda, v, y, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessianDiagonal_Logistic(BLP blp, Vec d)
{
  Logistic *lr = (Logistic *)blp->data;

  PetscFunctionBegin;
  PetscCall(FeatureMatMultTransposeSquared(lr->linear.X[BLP_TRAIN], lr->D, d));
  PetscCall(VecAXPY(d, 1, lr->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_Logistic(BLP blp, Vec u, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecPointwiseMult(y, ((Logistic *)blp->data)->w, u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ constants */

static PetscErrorCode BLPStrongConvexity_Logistic(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(VecMin(lambda, NULL, &mu->value));
  mu->standing = TWOFOLD_PROVED;
  mu->origin = "min lambda";
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSmoothness_Logistic(BLP blp, Vec lambda, TwofoldConstant *L)
{
  TwofoldConstant norm;
  PetscReal highest;

  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(FeatureMatGetNorm(((Logistic *)blp->data)->linear.X[BLP_TRAIN], &norm));
  PetscCall(VecMax(lambda, NULL, &highest));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  L->standing = TWOFOLD_PROVED;
  L->products = norm.products;
  L->value = norm.value * norm.value / 4 + highest;
  L->origin = "||X||^2 / 4 + max lambda; ||X|| by Lanczos, its residual added";
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPStrongConvexityGradient_Logistic(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(LinearModelExtremePlace(lambda, PETSC_FALSE, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSmoothnessGradient_Logistic(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(LinearModelExtremePlace(lambda, PETSC_TRUE, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLipschitz_Logistic(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  Logistic *lr = (Logistic *)blp->data;
  TwofoldConstant train, val;
  PetscReal row, largest;

  PetscFunctionBegin;
  PetscCall(CheckLambda(blp, lambda));
  PetscCall(FeatureMatGetNorm(lr->linear.X[BLP_TRAIN], &train));
  PetscCall(FeatureMatGetNorm(lr->linear.X[BLP_VAL], &val));
  PetscCall(FeatureMatGetRowNorm(lr->linear.X[BLP_TRAIN], &row));
  PetscCall(VecNorm(w, NORM_INFINITY, &largest));
  if (val.standing) c->eta1 = LinearModelProved(val.value * val.value / 4, &val, "||X'||^2 / 4");
  c->eta2 = LinearModelProved(0, NULL, "0: E does not depend on lambda");
  if (train.standing)
    c->nu1 = LinearModelProved(train.value * train.value * row / (6 * PetscSqrtReal(3)), &train,
                               "||X||^2 max ||x_i|| / (6 sqrt 3)");
  c->nu2 = LinearModelProved(1, NULL, "1: d/dlambda grad_w l = diag(w)");
  c->L_Phi = LinearModelProved(largest + radius, NULL, "max |w_j| + radius");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sup |psi'''(t)| over |t - z| <= radius: |psi'''(t)| = psi''(t) tanh(|t| / 2) rises up to |t| = log(2 + sqrt
   3), where it is 1 / (6 sqrt 3), and falls beyond. */
static PetscReal LargestThird(PetscReal z, PetscReal radius)
{
  const PetscReal peak = PetscLogReal(2 + PetscSqrtReal(3)), size = PetscAbsReal(z);
  const PetscReal t = size + radius < peak ? size + radius : PetscMax(size - radius, peak);

  return PsiCurvature(t) * PetscTanhReal(t / 2);
}

/* The change of the Hessian's product with v is X^T of changes that are at most sup |psi'''| |<x_i, w'>|
   |<x_i, v>| at sample i for a change w' of w; that of w * v at most max |v_j| ||w'||. */
static PetscErrorCode BLPLossLipschitzAlong_Logistic(BLP blp, Vec lambda, Vec w, PetscReal radius, Vec v,
                                                     TwofoldConstant *nu1, TwofoldConstant *nu2)
{
  Logistic *lr = (Logistic *)blp->data;
  const FeatureMat X = lr->linear.X[BLP_TRAIN];
  const Vec Z = lr->linear.Z[BLP_TRAIN];
  TwofoldConstant norm;
  PetscReal row, largest = 0;
  const PetscScalar *z, *along;
  PetscInt n;
  Vec Xv;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(VecNorm(v, NORM_INFINITY, &nu2->value));
  nu2->origin = "max |v_j|";
  PetscCall(FeatureMatGetNorm(X, &norm));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FeatureMatGetRowNorm(X, &row));
  PetscCall(VecDuplicate(Z, &Xv));
  PetscCall(FeatureMatMult(X, w, Z));
  PetscCall(FeatureMatMult(X, v, Xv));
  PetscCall(VecGetLocalSize(Z, &n));
  PetscCall(VecGetArrayRead(Z, &z));
  PetscCall(VecGetArrayRead(Xv, &along));
  for (PetscInt i = 0; i < n; i++)
    largest = PetscMax(largest, LargestThird(z[i], row * radius) * PetscAbsReal(along[i]));
  PetscCall(VecRestoreArrayRead(Xv, &along));
  PetscCall(VecRestoreArrayRead(Z, &z));
  PetscCall(VecDestroy(&Xv));
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)blp)));
  nu1->value = norm.value * norm.value * largest;
  nu1->origin = "||X||^2 max |psi'''| |<x_i, v>| within the ball";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ samples */

static PetscErrorCode BLPEvaluate_Logistic(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  Logistic *lr = (Logistic *)blp->data;
  PetscReal sum, correct;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(SetLoss(lr, set, w, &sum, &correct, NULL));
  PetscCall(FeatureMatGetSizes(lr->linear.X[set], &metrics->n, NULL, NULL));
  metrics->loss = sum / (PetscReal)metrics->n;
  metrics->accuracy = correct / (PetscReal)metrics->n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The probabilities 1 / (1 + exp(z)) and 1 / (1 + exp(-z)) of the classes. */
static PetscErrorCode Probabilities(FeatureMat X, Vec z, Vec *P)
{
  PetscInt n, nlocal;
  const PetscScalar *a;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(X, &n, NULL, NULL));
  PetscCall(VecGetLocalSize(z, &nlocal));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)z), P));
  PetscCall(VecSetSizes(*P, 2 * nlocal, 2 * n));
  PetscCall(VecSetBlockSize(*P, 2));
  PetscCall(VecSetFromOptions(*P));
  PetscCall(VecGetArrayRead(z, &a));
  PetscCall(VecGetArrayWrite(*P, &b));
  for (PetscInt i = 0; i < nlocal; i++) {
    b[2 * i] = -PsiSlope(a[i]);
    b[2 * i + 1] = -PsiSlope(-a[i]);
  }
  PetscCall(VecRestoreArrayWrite(*P, &b));
  PetscCall(VecRestoreArrayRead(z, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPPredict_Logistic(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  FeatureMat X;
  PetscReal sums[3];
  Vec z;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(LinearModelApply(blp, ds, w, &X, &z));
  PetscCall(Probabilities(X, z, Z));
  PetscCall(SumLosses(X, z, PETSC_FALSE, sums));
  PetscCall(VecDestroy(&z));
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 3, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  metrics->n = (PetscInt)sums[2];
  metrics->loss = metrics->n ? sums[0] / sums[2] : NAN;
  metrics->accuracy = metrics->n ? sums[1] / sums[2] : NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLoadModel_Logistic(BLP blp, TwofoldGroup group)
{
  PetscInt c;

  PetscFunctionBegin;
  PetscCall(DataSetGetSizes(blp->like, NULL, NULL, &c));
  PetscCheck(c == 2, PetscObjectComm((PetscObject)blp), PETSC_ERR_FILE_UNEXPECTED,
             "a model of problem logistic with %" PetscInt_FMT " classes: the file is damaged", c);
  PetscCall(BLPLoadModel_Linear(blp, group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

/* What BLPSetUp_Logistic() adds to the linear model. */
static PetscErrorCode Reset(BLP blp)
{
  Logistic *lr = (Logistic *)blp->data;

  PetscFunctionBegin;
  PetscCall(BLPResetSweep_Private(blp));
  PetscCall(VecDestroy(&lr->D));
  PetscCall(PetscFree(lr->weight));
  lr->seen = (TwofoldSeen){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_Logistic(BLP blp)
{
  Logistic *lr = (Logistic *)blp->data;
  PetscInt c, n;

  PetscFunctionBegin;
  PetscCall(Reset(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, NULL, &c));
  PetscCheck(c == 2, PetscObjectComm((PetscObject)blp), PETSC_ERR_FILE_UNEXPECTED,
             "problem logistic separates two classes, and the training samples have %" PetscInt_FMT
             ": -blp_type softmax takes any number",
             c);
  PetscCall(BLPSetUp_Linear(blp));
  PetscCall(VecDuplicate(lr->linear.Z[BLP_TRAIN], &lr->D));
  PetscCall(VecGetLocalSize(lr->linear.w, &n));
  PetscCall(PetscMalloc1(n + 1, &lr->weight));
  blp->linear = (BLPLinear){.X = lr->linear.X[BLP_TRAIN],
                            .Xval = lr->linear.X[BLP_VAL],
                            .weight = lr->weight,
                            .share = 1,
                            .weights = CheckLambda,
                            .slope = OutputGradient,
                            .curvature = OutputHessian};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* lambda = 1, of a tied one and of folds alike: 0 is outside. */
static PetscErrorCode BLPStart_Logistic(BLP blp, Vec lambda)
{
  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecSet(lambda, 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Logistic(BLP blp, PetscLogDouble *bytes)
{
  const Vec D = ((Logistic *)blp->data)->D;
  PetscInt n = 0, p = 0;

  PetscFunctionBegin;
  PetscCall(BLPGetMemory_Linear(blp, bytes));
  if (D) PetscCall(VecGetLocalSize(D, &n));
  if (D) PetscCall(VecGetLocalSize(((Logistic *)blp->data)->linear.w, &p));
  *bytes += (PetscLogDouble)(n + p) * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_Logistic(BLP blp)
{
  Logistic *lr = (Logistic *)blp->data;

  PetscFunctionBegin;
  PetscCall(Reset(blp));
  PetscCall(LinearModelReset(&lr->linear));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_Logistic(BLP blp)
{
  Logistic *lr;

  PetscFunctionBegin;
  PetscCall(PetscNew(&lr));
  blp->data = lr;
  blp->needs_samples = PETSC_TRUE;
  blp->positive = PETSC_TRUE;
  blp->ops->setup = BLPSetUp_Logistic;
  blp->ops->view = BLPView_Linear;
  blp->ops->destroy = BLPDestroy_Logistic;
  blp->ops->createvecs = BLPCreateVecs_Linear;
  blp->ops->start = BLPStart_Logistic;
  blp->ops->upper = BLPUpper_Logistic;
  blp->ops->lossgradient = BLPLossGradient_Logistic;
  blp->ops->losslinearize = BLPLossLinearize_Logistic;
  blp->ops->losshessian = BLPLossHessian_Logistic;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_Logistic;
  blp->ops->losscross = BLPLossCross_Logistic;
  blp->ops->losscrosstranspose = BLPLossCross_Logistic; /* diag(w) is symmetric */
  blp->ops->strongconvexity = BLPStrongConvexity_Logistic;
  blp->ops->smoothness = BLPSmoothness_Logistic;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_Logistic;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_Logistic;
  blp->ops->losslipschitz = BLPLossLipschitz_Logistic;
  blp->ops->losslipschitzalong = BLPLossLipschitzAlong_Logistic;
  blp->ops->evaluate = BLPEvaluate_Logistic;
  blp->ops->memory = BLPGetMemory_Logistic;
  blp->ops->savemodel = BLPSaveModel_Linear;
  blp->ops->loadmodel = BLPLoadModel_Logistic;
  blp->ops->predict = BLPPredict_Logistic;
  PetscFunctionReturn(PETSC_SUCCESS);
}
