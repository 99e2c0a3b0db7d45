/* Constants of softmax: see the head of softmax.c. */
#include "softmax.h"
#include "linear.h"

PetscErrorCode BLPStrongConvexity_Softmax(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  Softmax *sm = (Softmax *)blp->data;
  PetscReal lowest;

  PetscFunctionBegin;
  PetscCall(VecMin(lambda, NULL, &lowest));
  mu->standing = TWOFOLD_PROVED;
  mu->value = sm->bias ? 0 : PetscExpReal(lowest) / ((PetscReal)sm->c * (PetscReal)sm->p);
  mu->origin = sm->bias ? "0: the bias is unpenalised" : "exp(min lambda) / (c p)";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = exp(lambda_i) / (c p) at the place i of the least or largest entry, 0 elsewhere. */
static PetscErrorCode ExtremeGradient(const Softmax *sm, Vec lambda, PetscBool largest, Vec g)
{
  PetscReal value;

  PetscFunctionBegin;
  PetscCall(largest ? VecMax(lambda, NULL, &value) : VecMin(lambda, NULL, &value));
  PetscCall(LinearModelExtremePlace(lambda, largest, g));
  PetscCall(VecScale(g, PetscExpReal(value) / ((PetscReal)sm->c * (PetscReal)sm->p)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_Softmax(BLP blp, Vec lambda, Vec g)
{
  const Softmax *sm = (Softmax *)blp->data;

  PetscFunctionBegin;
  if (sm->bias)
    PetscCall(VecZeroEntries(g)); /* mu is 0 */
  else
    PetscCall(ExtremeGradient(sm, lambda, PETSC_FALSE, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothnessGradient_Softmax(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  PetscCall(ExtremeGradient((Softmax *)blp->data, lambda, PETSC_TRUE, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Hessian of logsumexp is at most 1/2. */
PetscErrorCode BLPSmoothness_Softmax(BLP blp, Vec lambda, TwofoldConstant *L)
{
  Softmax *sm = (Softmax *)blp->data;
  TwofoldConstant norm;
  PetscReal highest;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetNorm(sm->X[BLP_TRAIN], &norm)); /* with the bias's column */
  PetscCall(FeatureMatGetSizes(sm->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(VecMax(lambda, NULL, &highest));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  L->standing = TWOFOLD_PROVED;
  L->products = norm.products;
  L->value = norm.value * norm.value / (2 * (PetscReal)n) +
             PetscExpReal(highest) / ((PetscReal)sm->c * (PetscReal)sm->p);
  L->origin = "||X||^2 / (2n) + max exp(lambda) / (c p); ||X|| by Lanczos, its residual added";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max_j D_j, and max_j D_j (||w_j|| + radius) over the entries w_j of W that share a weight. */
static PetscErrorCode WeightNorms(BLP blp, Vec w, PetscReal radius, PetscReal *highest, PetscReal *cross)
{
  const Softmax *sm = (const Softmax *)blp->data;
  PetscReal largest[2] = {0, 0};
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(w, &a));
  for (PetscInt j = 0; j < sm->nweight; j++) {
    PetscReal square = 0;
    for (PetscInt k = 0; k < sm->share; k++) square += a[j * sm->share + k] * a[j * sm->share + k];
    if (sm->weight[j] == 0) continue; /* the bias */
    largest[0] = PetscMax(largest[0], sm->weight[j]);
    largest[1] = PetscMax(largest[1], sm->weight[j] * (PetscSqrtReal(square) + radius));
  }
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, largest, 2, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)blp)));
  *highest = largest[0];
  *cross = largest[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Hessian of logsumexp is at most 1/2 and Lipschitz with sqrt(6)/9, its third derivative along u, |u| =
   1, being a third central moment of numbers within sqrt(2) of each other. d/dlambda grad_w l = D * W has
   columns of disjoint support. */
PetscErrorCode BLPLossLipschitz_Softmax(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  Softmax *sm = (Softmax *)blp->data;
  TwofoldConstant train, val;
  PetscReal highest = 0, cross = 0, row;
  PetscInt n, nval;

  PetscFunctionBegin;
  PetscCall(SoftmaxUpdateWeights_Private(blp, lambda));
  PetscCall(WeightNorms(blp, w, radius, &highest, &cross));
  PetscCall(FeatureMatGetNorm(sm->X[BLP_TRAIN], &train));
  PetscCall(FeatureMatGetRowNorm(sm->X[BLP_TRAIN], &row));
  PetscCall(FeatureMatGetSizes(sm->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(FeatureMatGetNorm(sm->X[BLP_VAL], &val));
  PetscCall(FeatureMatGetSizes(sm->X[BLP_VAL], &nval, NULL, NULL));
  c->eta2 =
      (TwofoldConstant){.value = 0, .standing = TWOFOLD_PROVED, .origin = "E does not depend on lambda"};
  c->nu2 =
      (TwofoldConstant){.value = highest, .standing = TWOFOLD_PROVED, .origin = "max exp(lambda) / (c p)"};
  c->L_Phi = (TwofoldConstant){
      .value = cross, .standing = TWOFOLD_PROVED, .origin = "max exp(lambda_j) (||w_j|| + radius) / (c p)"};
  if (val.standing)
    c->eta1 = (TwofoldConstant){.value = val.value * val.value / (2 * (PetscReal)nval),
                                .standing = TWOFOLD_PROVED,
                                .origin = "||X'||^2 / (2 n')"};
  if (train.standing)
    c->nu1 = (TwofoldConstant){.value = PetscSqrtReal(6) / 9 * train.value * train.value * row / (PetscReal)n,
                               .standing = TWOFOLD_PROVED,
                               .origin = "sqrt(6)/9 ||X||^2 max ||x_i|| / n"};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Largest Euclidean norm of the rows of a block of c columns, times factor[row] where not NULL. */
static PetscErrorCode LargestRow(Vec block, PetscInt c, const PetscReal factor[], PetscReal *norm)
{
  const PetscScalar *a;
  PetscReal largest = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(block, &n));
  PetscCall(VecGetArrayRead(block, &a));
  for (PetscInt i = 0; i < n / c; i++) {
    PetscReal square = 0;
    for (PetscInt k = 0; k < c; k++) square += a[i * c + k] * a[i * c + k];
    largest = PetscMax(largest, (factor ? factor[i] : 1) * PetscSqrtReal(square));
  }
  PetscCall(VecRestoreArrayRead(block, &a));
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)block)));
  *norm = largest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The change of the Hessian's product with v, X^T of changes that are at most sqrt(6)/9 ||x_i W'|| ||x_i V||
   at sample i for a change W' of W: the largest ||x_i V|| stands for max ||x_i|| ||V||. */
PetscErrorCode BLPLossLipschitzAlong_Softmax(BLP blp, Vec lambda, Vec w, PetscReal radius, Vec v,
                                             TwofoldConstant *nu1, TwofoldConstant *nu2)
{
  Softmax *sm = (Softmax *)blp->data;
  const FeatureMat X = sm->X[BLP_TRAIN];
  TwofoldConstant norm;
  PetscReal along = 0;
  PetscInt n;

  PetscFunctionBegin;
  (void)w;
  (void)radius;
  PetscCall(SoftmaxUpdateWeights_Private(blp, lambda));
  PetscCall(LargestRow(v, sm->share, sm->weight, &nu2->value));
  nu2->origin = "max exp(lambda_j) ||v_j|| / (c p)";
  PetscCall(FeatureMatGetNorm(X, &norm));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FeatureMatMult(X, v, sm->Z[BLP_TRAIN]));
  PetscCall(LargestRow(sm->Z[BLP_TRAIN], sm->c, NULL, &along));
  PetscCall(FeatureMatGetSizes(X, &n, NULL, NULL));
  nu1->value = PetscSqrtReal(6) / 9 * norm.value * norm.value * along / (PetscReal)n;
  nu1->origin = "sqrt(6)/9 ||X||^2 max ||x_i V|| / n";
  PetscFunctionReturn(PETSC_SUCCESS);
}
